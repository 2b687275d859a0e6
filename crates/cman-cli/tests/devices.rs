//! `--device` on machines that lack the device.

#![cfg(feature = "wgpu")]

use std::process::{Command, Output};

/// Runs the program without any graphics driver.
fn without_drivers(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cman"));
    for list in ["VK_ICD_FILENAMES", "VK_DRIVER_FILES", "__EGL_VENDOR_LIBRARY_FILENAMES", "LIBGL_DRIVERS_PATH"] {
        command.env(list, "/nonexistent/driver.json");
    }
    command.args(args).output().expect("the program runs")
}

#[test]
fn a_missing_adapter_is_an_error_that_lists_the_adapters() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model").to_str().unwrap().to_owned();
    let run = without_drivers(&["train", "--sample", "--epochs", "1", "--device", "wgpu", "--out", &out]);
    let stderr = String::from_utf8(run.stderr).unwrap();
    if run.status.success() {
        println!("skipped: an adapter works without a driver file");
        return;
    }
    assert_eq!(run.status.code(), Some(1), "{stderr}");
    let error = stderr.lines().last().unwrap();
    assert!(error.starts_with("error: device 'wgpu' cannot be opened: no adapter found"), "{stderr}");
    assert!(error.ends_with("; found: no adapter"), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_missing_kind_of_adapter_is_an_error_that_lists_the_adapters() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model").to_str().unwrap().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cman"));
    command.env("CUBECL_WGPU_DEFAULT_DEVICE", "VirtualGpu(77)");
    let run = command.args(["train", "--sample", "--epochs", "1", "--device", "wgpu", "--out", &out]).output().unwrap();
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{stderr}");
    let error = stderr.lines().last().unwrap();
    assert!(error.starts_with("error: device 'wgpu' cannot be opened: ") && error.contains("; found: "), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}
