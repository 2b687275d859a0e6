//! Devices shared by the tests.
#![allow(dead_code)] // every test binary uses a part of it

use burn::tensor::Device;
use burn_ragged::DeviceKind;

/// The CPU devices of this build.
pub fn cpu_devices() -> Vec<Device> {
    let kinds = DeviceKind::compiled().into_iter().filter(|kind| kind.is_cpu());
    kinds.map(|kind| kind.device().expect("compiled in")).collect()
}

/// The first CPU device of this build.
pub fn cpu_device() -> Device {
    cpu_devices().remove(0)
}
