//! `--device` on machines without the device.

#![cfg(feature = "wgpu")]

use std::process::{Command, Output};

/// Runs the program where no graphics driver is found.
fn without_drivers(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cman"));
    for list in ["VK_ICD_FILENAMES", "VK_DRIVER_FILES", "__EGL_VENDOR_LIBRARY_FILENAMES", "LIBGL_DRIVERS_PATH"] {
        command.env(list, "/nonexistent/driver.json");
    }
    command.args(args).output().expect("the program runs")
}

#[test]
fn no_adapter_is_an_error_that_lists_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model").to_str().unwrap().to_owned();
    let run = without_drivers(&["train", "--sample", "--epochs", "1", "--device", "wgpu", "--out", &out]);
    let said = String::from_utf8(run.stderr).unwrap();
    if run.status.success() {
        println!("skipped: there is an adapter that needs no driver file");
        return;
    }
    assert_eq!(run.status.code(), Some(1), "{said}");
    let error = said.lines().last().unwrap();
    assert!(error.starts_with("error: device 'wgpu' cannot be opened: no adapter found"), "{said}");
    assert!(error.ends_with("; found: no adapter"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn an_adapter_of_a_kind_that_is_not_there_lists_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model").to_str().unwrap().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cman"));
    command.env("CUBECL_WGPU_DEFAULT_DEVICE", "VirtualGpu(77)");
    let run = command.args(["train", "--sample", "--epochs", "1", "--device", "wgpu", "--out", &out]).output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{said}");
    let error = said.lines().last().unwrap();
    assert!(error.starts_with("error: device 'wgpu' cannot be opened: ") && error.contains("; found: "), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
