//! A full disk is an error and keeps the last checkpoint intact.
#![cfg(unix)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::program::{Run, SMALL, cman, command, small_data};

const EPOCHS: &str = "4";

fn arguments<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let run = ["train", "--epochs", EPOCHS, "--checkpoint-minutes", "1000", "--out", out];
    [&run[..], small_data(), &SMALL, more].concat()
}

fn weights(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("model.safetensors")).unwrap()
}

/// The weights of an uninterrupted run.
fn uninterrupted(folder: &Path) -> Vec<u8> {
    let whole = folder.join("whole");
    cman(&arguments(whole.to_str().unwrap(), &[])).quiet();
    weights(&whole)
}

/// Total size of the files in a folder, in bytes.
fn size(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

fn run(mut command: Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Starts a run and interrupts it after its first epoch, so that it leaves a checkpoint.
fn leave_a_checkpoint(out: &Path) -> PathBuf {
    use std::io::{BufRead, BufReader};
    let mut child = command(&arguments(out.to_str().unwrap(), &[])).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("epoch   1")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    out.join("checkpoint")
}

/// The files of a checkpoint listed in `state.json`, with their content.
fn checkpoint(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let state = fs::read_to_string(folder.join("state.json")).unwrap();
    let is_listed = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name == "state.json" || state.contains(&format!("{name:?}"))
    };
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(is_listed);
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

#[test]
fn a_file_size_limit_is_an_error_and_the_run_can_resume() {
    let folder = tempfile::tempdir().unwrap();
    let expected = uninterrupted(folder.path());
    let out = folder.path().join("limited");
    let saved = leave_a_checkpoint(&out);
    let before = checkpoint(&saved);
    assert!(before.len() >= 3, "{before:?}");

    let name = out.to_str().unwrap();
    for kilobytes in ["1", "8", "40"] {
        // Ignoring SIGXFSZ makes writes fail as on a full disk.
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
        let mut limited = Command::new("bash");
        limited.args(["-c", &script, env!("CARGO_BIN_EXE_cman")]).args(arguments(name, &["--resume"]));
        let error = run(limited).failure();
        assert!(error.starts_with(name) && error.contains("File too large"), "{error}");
        assert!(checkpoint(&saved) == before, "the checkpoint is unchanged");
    }
    cman(&arguments(name, &["--resume"])).quiet();
    assert!(weights(&out) == expected);
}

/// An in-memory file system of a given size, unmounted on drop.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: PathBuf, bytes: u64) -> Option<Self> {
        fs::create_dir(&folder).unwrap();
        let options = format!("size={bytes}");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn grow(&self, bytes: u64) {
        let options = format!("remount,size={bytes}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_an_error_and_the_run_can_resume() {
    let folder = tempfile::tempdir().unwrap();
    let expected = uninterrupted(folder.path());
    let bytes = size(&leave_a_checkpoint(&folder.path().join("measured")));
    // The disk holds one and a half checkpoints, so the second one does not fit.
    let Some(disk) = Disk::mount(folder.path().join("disk"), bytes + bytes / 2) else {
        println!("skipped: cannot mount a file system");
        return;
    };
    let out = disk.0.join("model");
    let name = out.to_str().unwrap();
    let mut full = Command::new(env!("CARGO_BIN_EXE_cman"));
    full.args(arguments(name, &[]));
    let error = run(full).failure();
    assert!(error.starts_with(name) && error.contains("No space left on device"), "{error}");
    let kept = checkpoint(&out.join("checkpoint"));
    assert!(kept.len() >= 3, "{} files are kept", kept.len());
    disk.grow(8 * bytes);
    cman(&arguments(name, &["--resume"])).quiet();
    assert!(weights(&out) == expected);
}
