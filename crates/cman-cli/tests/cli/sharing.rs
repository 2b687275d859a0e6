//! Processes that write to one folder, and experiments that share a folder of runs.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command},
    thread,
};

use serde_json::Value;

use crate::program::{Run, SMALL, cman, command, json, small_data, small_experiment};

fn training<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let run = ["train", "--epochs", "4", "--checkpoint-minutes", "0", "--out", out];
    [&run[..], small_data(), &SMALL, more].concat()
}

/// Starts the program and waits until it has printed a line that starts with `text`.
fn start(args: &[&str], text: &str) -> Child {
    let mut child = command(args).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with(text)), "{text}");
    // The pipe stays open, so that the program can go on writing.
    thread::spawn(move || lines.for_each(drop));
    child
}

/// Runs two programs at the same time.
fn both(a: &[&str], b: &[&str]) -> [Run; 2] {
    [a, b].map(|args| command(args).spawn().unwrap()).map(|child| child.wait_with_output().unwrap().into())
}

#[test]
fn a_second_training_is_told_who_writes_and_goes_on_when_that_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let [out, whole] = ["model", "whole"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let mut first = start(&training(&out, &[]), "epoch   1");
    for more in [&[][..], &["--force"], &["--resume"]] {
        let (error, hint) = cman(&training(&out, more)).failure_with_hint();
        let holder = format!("{out}: process {} on host ", first.id());
        assert!(error.starts_with(&holder) && error.contains(" has been writing here since "), "{error}");
        let expected = "the lock is released when that process ends; another `--out` can be written now";
        assert_eq!(hint.as_deref(), Some(expected));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let lock = Path::new(&out).join(".lock");
    assert!(lock.exists(), "the killed process left its lock file");
    assert!(cman(&training(&out, &["--resume"])).quiet().contains("resuming    after epoch "));
    assert!(!lock.exists());
    cman(&training(&whole, &[])).quiet();
    let weights = |folder: &str| fs::read(Path::new(folder).join("model.safetensors")).unwrap();
    assert!(weights(&out) == weights(&whole));
}

#[test]
fn of_two_trainings_that_start_together_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model");
    let args = training(out.to_str().unwrap(), &[]);
    let runs = both(&args, &args);
    let (refused, done): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| run.status == Some(1));
    assert_eq!((refused.len(), done.len()), (1, 1));
    assert!(refused[0].stderr.contains(" has been writing here since "), "{}", refused[0].stderr);
    assert_eq!(fs::read_to_string(out.join("log.csv")).unwrap().lines().count(), 5, "a heading and four epochs");
    assert!(out.join("model.json").exists() && !out.join("checkpoint").exists());
}

/// Arguments of a short experiment of eight runs.
fn experiment<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let short = ["--set", "train.epochs=2", "--set", "train.batch_size=16"];
    [&["experiment", file][..], &SMALL, &short, more].concat()
}

/// The runs of an experiment in its order, without times.
fn runs(out: &Path) -> Value {
    let mut runs = json(out.join("results.json"))["runs"].take();
    for run in runs.as_array_mut().unwrap() {
        assert!(run["error"].is_null(), "{run}");
        run["outcome"].as_object_mut().unwrap().remove("seconds");
    }
    runs
}

#[test]
fn experiments_share_their_runs_and_train_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b, shared] = ["a", "b", "runs"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let file = small_experiment();
    let args = |out| experiment(file, &["--runs", &shared, "--out", out]);
    let outputs = both(&args(&a), &args(&b)).map(Run::quiet);
    let cached = outputs.each_ref().map(|output| output.matches("(finished before)\n").count());
    assert_eq!(cached[0] + cached[1], 8, "every run is trained by one of two processes: {outputs:?}");
    assert!(cached[0] > 0 && cached[1] > 0, "both train: {outputs:?}");
    assert!(outputs.iter().any(|output| output.contains(": put off, process ")), "{outputs:?}");
    let results = runs(Path::new(&a));
    assert_eq!(results.as_array().unwrap().len(), 8);
    assert_eq!(results, runs(Path::new(&b)));
    for run in fs::read_dir(&shared).unwrap() {
        let run = run.unwrap().path();
        let epochs = fs::read_to_string(run.join("log.jsonl")).unwrap().lines().count();
        assert!((1..=2).contains(&epochs) && !run.join(".lock").exists(), "{}", run.display());
    }

    let mut first = start(&experiment(file, &["--seeds", "3", "--out", &a, "--resume"]), "run 1/4");
    let (error, _) = cman(&experiment(file, &["--seeds", "3", "--out", &a, "--resume"])).failure_with_hint();
    assert!(error.starts_with(&format!("{a}: process {} on host ", first.id())), "{error}");
    first.kill().unwrap();
    first.wait().unwrap();
    cman(&experiment(file, &["--seeds", "3", "--out", &a, "--resume"])).quiet();
}

#[cfg(unix)]
#[test]
fn jobs_side_by_side_give_the_same_results_also_after_an_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    let file = small_experiment();
    cman(&experiment(file, &["--out", one.to_str().unwrap()])).quiet();
    let jobs = experiment(file, &["--jobs", "2", "--threads", "3", "--out", two.to_str().unwrap(), "--resume"]);
    let child = start(&jobs, "run 4/8");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let stopped = Run::from(child.wait_with_output().unwrap());
    assert_eq!(stopped.status, Some(1));
    assert!(stopped.stderr.starts_with("error: stopped in epoch "), "{}", stopped.stderr);
    let output = cman(&jobs).quiet();
    assert_eq!(output.matches("  test entities ").count(), 8, "{output}");
    assert!(output.contains("(finished before)"), "{output}");
    assert_eq!(runs(&two), runs(&one));
}
