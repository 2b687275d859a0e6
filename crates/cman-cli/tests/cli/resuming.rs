//! An interrupted run resumes to the same bits.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Command,
};

use crate::program::{SMALL, cman, command};

fn arguments(out: &Path) -> Vec<&str> {
    let run = ["train", "--sample", "--epochs", "4", "--checkpoint-minutes", "0", "--out", out.to_str().unwrap()];
    [&run[..], &SMALL].concat()
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_has_a_hint_and_resumes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, interrupted) = (folder.path().join("whole"), folder.path().join("interrupted"));
    assert_eq!(cman(&arguments(&whole)).status, Some(0));

    let mut child = command(&arguments(&interrupted)).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("epoch   1")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(lines.all(|line| line.is_ok()));
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(stderr.starts_with("error: stopped in epoch "), "{stderr}");

    assert!(stderr.ends_with("\n\nhint: the same command with `--resume` continues the run\n"), "{stderr}");

    let (error, hint) = cman(&arguments(&interrupted)).failure_with_hint();
    assert!(error.ends_with(": contains an interrupted run"), "{error}");
    assert_eq!(hint.as_deref(), Some("`--resume` continues the run, `--force` starts a new one"));
    let mut resume = arguments(&interrupted);
    resume.push("--resume");
    assert!(cman(&resume).quiet().contains("resuming    after epoch "));
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(weights(&interrupted) == weights(&whole));
    let rows = |folder: &Path| {
        let log = fs::read_to_string(folder.join("log.csv")).unwrap();
        log.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&interrupted), rows(&whole));
    assert!(!interrupted.join("checkpoint").exists());
    let (error, hint) = cman(&resume).failure_with_hint();
    assert!(error.ends_with(": no checkpoint to resume"), "{error}");
    assert_eq!(hint.as_deref(), Some("the same command without `--resume` starts a new run"));
}
