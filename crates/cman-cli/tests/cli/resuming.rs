//! A run that is broken off goes on to the same bits.

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
fn an_interrupted_run_says_how_to_go_on_and_resumes_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    assert_eq!(cman(&arguments(&whole)).status, Some(0));

    let mut child = command(&arguments(&broken)).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("epoch   1")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(lines.all(|line| line.is_ok()));
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with("error: stopped in epoch ") && said.ends_with("with --resume goes on\n"), "{said}");

    let again = cman(&arguments(&broken)).failure();
    assert!(again.ends_with("(--resume goes on with it, --force starts anew)"), "{again}");
    let mut resume = arguments(&broken);
    resume.push("--resume");
    assert!(cman(&resume).quiet().contains("resuming    behind epoch "));
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(weights(&broken) == weights(&whole));
    let rows = |folder: &Path| {
        let log = fs::read_to_string(folder.join("log.csv")).unwrap();
        log.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&broken), rows(&whole));
    assert!(!broken.join("checkpoint").exists());
    assert!(cman(&resume).failure().ends_with("there is no checkpoint to resume"));
}
