//! Inputs that are too large: a token, a sentence, a batch.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::program::{SMALL, cman, cman_reading, command, model, sample};

/// Writes sentences with these tokens, each with two entities and a relation.
fn corpus(path: &Path, sentences: &[Vec<String>]) -> String {
    let record = |tokens: &Vec<String>| {
        json!({
            "tokens": tokens,
            "entities": [{"type": "Peop", "start": 0, "end": 1}, {"type": "Loc", "start": 1, "end": 2}],
            "relations": [{"type": "Live_In", "head": 0, "tail": 1}],
        })
    };
    fs::write(path, Value::from(sentences.iter().map(record).collect::<Vec<_>>()).to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn sentence(tokens: usize) -> Vec<String> {
    vec!["a".to_owned(); tokens]
}

#[test]
fn a_very_long_token_is_read_in_part_and_this_is_said() {
    let temp = tempfile::tempdir().unwrap();
    let long = vec!["Ann".to_owned(), "b".repeat(300_000), "c".repeat(999)];
    let file = corpus(&temp.path().join("long.json"), &[sentence(3), long]);
    let out = temp.path().join("model").to_str().unwrap().to_owned();
    let said =
        "2 tokens have more than 256 characters (sentence 2: 300000): the character encoder reads their first 256\n";
    let train = ["train", "--train", &file, "--dev", &file, "--test", &file, "--epochs", "1", "--out", &out];
    let run = cman(&[&train[..], &SMALL].concat());
    assert_eq!((run.status, run.stderr), (Some(0), format!("train: {said}dev: {said}test: {said}")));
    let run = cman(&["evaluate", "--model", &out, "--data", &file]);
    assert_eq!((run.status, run.stderr), (Some(0), format!("{file}: {said}")));
    let without = [&train[..], &SMALL, &["--force", "--set", "model.character.kind=none"]].concat();
    cman(&without).quiet();
}

#[test]
fn the_length_of_a_token_in_predict_is_an_option() {
    let (folder, _) = model();
    let input = format!("{{\"tokens\": [\"Ann\", \"{}\"]}}\n", "b".repeat(300));
    let predict =
        |most: &str| cman_reading(input.as_bytes(), &["predict", "--model", folder, "--max-characters", most]);
    let run = predict("299");
    assert_eq!(run.status, Some(1));
    let expected =
        "standard input: record 1, line 1: token of 300 characters exceeds the maximum of 299 (--max-characters)\n";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    let run = predict("300");
    let expected = "standard input: 1 token has more than 256 characters (standard input: record 1, line 1: 300): the character encoder reads its \
                    first 256\n";
    assert_eq!((run.status, run.stderr.as_str(), run.stdout.lines().count()), (Some(0), expected, 1));
}

#[test]
fn a_sentence_that_does_not_fit_into_memory_is_refused_before_training() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name);
    let (short, long) = (corpus(&path("short.json"), &[sentence(4)]), corpus(&path("long.json"), &[sentence(50_000)]));
    let out = path("model").to_str().unwrap().to_owned();
    for (part, place) in [("--train", "train"), ("--dev", "dev"), ("--test", "test")] {
        let mut args = vec!["train", "--max-memory", "400MB", "--out", &out];
        if part != "--train" {
            args.extend(["--train", &short]);
        }
        args.extend([part, &long]);
        let (error, hint) = cman(&args).failure_with_hint();
        let task = if part == "--train" { "training on" } else { "prediction of" };
        let start = format!("{place}: sentence 1 (id 1, 50000 tokens): {task} its batch needs about ");
        assert!(error.starts_with(&start) && error.ends_with(" MB are left (--max-memory)"), "{error}");
        assert_eq!(hint, Some("split the sentence into shorter ones; `--max-memory` changes the limit".into()));
        assert!(!Path::new(&out).join("model.json").exists());
    }
}

#[test]
fn a_batch_that_does_not_fit_can_be_made_smaller() {
    let temp = tempfile::tempdir().unwrap();
    let file = corpus(&temp.path().join("corpus.json"), &vec![sentence(500); 16]);
    let out = temp.path().join("model").to_str().unwrap().to_owned();
    let train = ["train", "--train", &file, "--epochs", "1", "--out", &out, "--max-memory", "400MB"];
    let (error, hint) = cman(&[&train[..], &SMALL].concat()).failure_with_hint();
    assert!(error.contains("training on its batch needs about "), "{error}");
    assert!(hint.unwrap().starts_with("`--set train.batch_tokens=N`"));
    cman(&[&train[..], &SMALL, &["--set", "train.batch_tokens=500"]].concat()).quiet();
}

#[test]
fn predict_skips_a_sentence_that_does_not_fit() {
    let (folder, _) = model();
    let long = json!({"tokens": sentence(200_000)});
    let input = format!("{}\n{long}\n{}\n", json!({"text": "Ann ran."}), json!({"text": "Bob ran."}));
    let args = ["predict", "--model", folder, "--max-tokens", "1000000", "--max-memory", "300MB"];
    let run = cman_reading(input.as_bytes(), &args);
    assert_eq!((run.status, run.stdout.lines().count()), (Some(1), 2));
    let start = "standard input: record 2, line 2: sentence of 200000 tokens needs about ";
    assert!(run.stderr.starts_with(start) && run.stderr.contains(" are left (--max-memory)\n"), "{}", run.stderr);
}

#[test]
fn evaluate_refuses_a_sentence_that_is_too_long() {
    let (folder, _) = model();
    let temp = tempfile::tempdir().unwrap();
    let file = corpus(&temp.path().join("long.json"), &[sentence(3), sentence(50_000)]);
    let evaluate = ["evaluate", "--model", folder, "--data", &file];
    let (error, hint) = cman(&evaluate).failure_with_hint();
    assert_eq!(
        error,
        format!("{file}: the sentence with id 2: its 50000 tokens exceed the maximum of 4096 (--max-tokens)")
    );
    assert_eq!(hint, Some("split the sentence into shorter ones; `--max-tokens` changes the limit".into()));
    let file = corpus(&temp.path().join("short.json"), &[sentence(3)]);
    let (error, _) = cman(&["evaluate", "--model", folder, "--data", &file, "--max-tokens", "2"]).failure_with_hint();
    assert_eq!(error, format!("{file}: the sentence with id 1: its 3 tokens exceed the maximum of 2 (--max-tokens)"));
    cman(&["evaluate", "--model", folder, "--data", &file, "--max-tokens", "3"]).quiet();
}

#[test]
fn a_size_of_memory_has_a_known_unit() {
    let run = cman(&["evaluate", "--model", "m", "--data", "d", "--max-memory", "4 XB"]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.contains("expected a size such as 4GB or 512MiB, `none` or `system`"), "{}", run.stderr);
}

/// Under a limit of the address space the process never aborts.
#[cfg(target_os = "linux")]
#[test]
fn the_limit_of_the_address_space_is_known() {
    let temp = tempfile::tempdir().unwrap();
    let file = corpus(&temp.path().join("corpus.json"), &[sentence(20_000)]);
    let out = temp.path().join("model").to_str().unwrap().to_owned();
    let program = command(&[]).get_program().to_owned();
    let limited = |args: &[&str]| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "ulimit -v 4000000; exec \"$0\" \"$@\""]).arg(&program).args(args);
        crate::program::Run::from(shell.output().unwrap())
    };
    let (error, _) = limited(&["train", "--train", &file, "--out", &out, "--threads", "2"]).failure_with_hint();
    assert!(error.ends_with(" are left (limit of the address space, `ulimit -v`)"), "{error}");
    // Without the check the allocation fails, and the process still ends with status 1.
    let run = limited(&["train", "--train", &file, "--out", &out, "--threads", "2", "--max-memory", "none"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("memory allocation of "), "{}", run.stderr);
}

#[test]
fn embed_and_experiment_keep_the_limit() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let encoder = format!("{}/../cman-encoder/tests/bert/bert", env!("CARGO_MANIFEST_DIR"));
    let (dev, limit) = (sample("dev.json"), ["--max-memory", "1MB"]);
    let embed = ["embed", "--encoder", &encoder, "--corpus", &dev, "--out", &path("vectors")];
    let (error, _) = cman(&[&embed[..], &limit].concat()).failure_with_hint();
    assert!(error.contains("encoding needs about ") && error.ends_with(" 0.0 MB are left (--max-memory)"), "{error}");
    assert!(!Path::new(&path("vectors")).exists());

    let experiment = format!("{}/../../experiments/sample.toml", env!("CARGO_MANIFEST_DIR"));
    let out = path("experiment");
    let run = cman(&[&["experiment", &experiment, "--out", &out, "--seeds", "1"][..], &limit].concat());
    let results = fs::read_to_string(Path::new(&out).join("results.json")).unwrap();
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert!(results.contains("training on its batch needs about "), "{results}");
}
