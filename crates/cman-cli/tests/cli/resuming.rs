//! An interrupted run resumes to the same bits, and a finished one goes on with more epochs.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Command,
};

use crate::program::{SMALL, cman, command, json, sample, small_data};

fn arguments(out: &Path) -> Vec<&str> {
    let run = ["train", "--epochs", "4", "--checkpoint-minutes", "0", "--out", out.to_str().unwrap()];
    [&run[..], small_data(), &SMALL].concat()
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
    let epoch = json(interrupted.join("scores.json"))["epoch"].clone();
    assert_eq!(cman(&resume).quiet(), format!("{}: finished (epoch {epoch} kept)\n", interrupted.display()));
}

#[test]
fn there_is_nothing_to_resume_in_a_new_folder() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new");
    let (error, hint) = cman(&[&arguments(&out)[..], &["--resume"]].concat()).failure_with_hint();
    assert_eq!(error, format!("{}: no checkpoint to resume", out.display()));
    assert_eq!(hint.as_deref(), Some("the same command without `--resume` starts a new run"));
    assert!(!out.exists());
}

#[test]
fn a_finished_model_goes_on_only_as_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let (out, whole) = (folder.path().join("model"), folder.path().join("whole"));
    let (name, test) = (out.to_str().unwrap().to_owned(), sample("test.json"));
    let args = |out: &Path, epochs: &str, more: &[&str]| {
        let args = ["train", "--train", &test, "--dev", &test, "--epochs", epochs, "--out", out.to_str().unwrap()];
        cman(&[&args[..], &SMALL, more].concat())
    };
    let model = || fs::read(out.join("model.safetensors")).unwrap();
    args(&out, "1", &[]).quiet();
    let first = model();
    assert_eq!(args(&out, "1", &["--resume"]).quiet(), format!("{name}: finished (epoch 1 kept)\n"));

    let other = args(&out, "1", &["--resume", "--seed", "7", "--train-dev"]).failure_with_hint();
    let (train, dev) = other.0.split_once("; seed: 1 in the model, 7 now; ").unwrap();
    assert!(train.starts_with(&format!("{name}/identity.json: of another run: dev data: 175 sentences (")), "{train}");
    assert!(train.ends_with(" in the model, 0 sentences (e3b0c44298fc1c14) now"), "{train}");
    assert!(
        dev.starts_with("training data: 175 sentences (") && dev.contains(" in the model, 350 sentences ("),
        "{dev}"
    );
    let force = "`--force` starts a new run, and another `--out` leaves this one as it is";
    assert_eq!(other.1.as_deref(), Some(force));
    let (error, hint) = args(&out, "3", &["--resume"]).failure_with_hint();
    let reason = "finished, and no checkpoint was kept: train.epochs: 1 in the model, 3 now";
    assert_eq!(error, format!("{name}: {reason}"));
    assert_eq!(hint.unwrap(), format!("`--keep-checkpoint` keeps the last checkpoint for more epochs; {force}"));
    assert!(model() == first, "a refusal changes nothing");

    args(&out, "1", &["--force", "--keep-checkpoint"]).quiet();
    assert!(out.join("checkpoint/state.json").exists() && model() == first);
    assert_eq!(args(&out, "1", &["--resume"]).quiet(), format!("{name}: finished (epoch 1 kept)\n"));
    assert_eq!(args(&out, "1", &[]).failure_with_hint().0, format!("{name}: already contains a model"));
    assert!(args(&out, "3", &["--resume"]).quiet().contains("resuming    after epoch 1\n"));
    args(&whole, "3", &[]).quiet();
    assert!(model() == fs::read(whole.join("model.safetensors")).unwrap());
    assert!(!out.join("checkpoint").exists() && args(&out, "3", &["--resume"]).quiet().contains(": finished (epoch "));
}
