//! Opening a GPU through wgpu so that one that is not there is an error: burn opens it at its first use, and panics.

use std::{
    pin::pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use burn::tensor::{
    Device,
    wgpu::{WgpuInitError, wgpu},
};

pub(super) use burn::tensor::wgpu::WgpuBackend;

use super::{DeviceError, DeviceKind};

/// What was opened, or why it could not be: a device is made once in a process.
static OPENED: Mutex<Vec<(DeviceKind, Result<Device, DeviceError>)>> = Mutex::new(Vec::new());

/// The default adapter of this graphics interface.
pub(super) fn open(kind: DeviceKind, api: WgpuBackend) -> Result<Device, DeviceError> {
    // The lock is held while the device is made: Vulkan's loader may crash where two threads enter it at once.
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, device)) = opened.iter().find(|(known, _)| *known == kind) {
        return device.clone();
    }
    let device = match Device::wgpu_options().graphics_api(api).init() {
        Ok(device) => Ok(device),
        // Somebody has used it before, so it works.
        Err(WgpuInitError::Registration { .. }) if api == WgpuBackend::Auto => Ok(Device::wgpu(Default::default())),
        Err(error) => Err(DeviceError::Unavailable { kind, reason: reason(error), found: found() }),
    };
    opened.push((kind, device.clone()));
    device
}

fn reason(error: WgpuInitError) -> String {
    match error {
        WgpuInitError::AdapterUnavailable { message, .. } => message,
        error => error.to_string(),
    }
}

/// The adapters of every graphics interface, as `name (kind, interface)`.
fn found() -> String {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pin!(instance.enumerate_adapters(wgpu::Backends::all()));
    // Outside of a browser the list is there at once.
    let Poll::Ready(adapters) = adapters.poll(&mut Context::from_waker(Waker::noop())) else {
        return "adapters that do not answer".into();
    };
    let name = |adapter: &wgpu::Adapter| {
        let info = adapter.get_info();
        format!("{} ({:?}, {:?})", info.name, info.device_type, info.backend)
    };
    let names: Vec<String> = adapters.iter().map(name).collect();
    if names.is_empty() { "no adapter".into() } else { names.join(", ") }
}
