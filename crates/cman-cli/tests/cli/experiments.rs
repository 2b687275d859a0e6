//! `experiment`, `report` and `archive`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::program::{SMALL, cman, command, json, small_corpus, small_experiment};

/// The output folder of the finished experiment.
fn finished() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cman-cli-experiment");
        let _ = fs::remove_dir_all(&folder);
        let output = cman(&["experiment", small_experiment(), "--out", folder.to_str().unwrap()]).quiet();
        assert!(output.contains("run 8/8  - BLA unit, sample, train+dev, seed 2\n"), "{output}");
        assert!(!output.contains("finished before"), "{output}");
        folder
    });
    &FOLDER
}

/// The results without command and times, which differ between executions.
fn without_times(folder: &Path) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|key, _| key != "command" && key != "seconds");
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut results = json(folder.join("results.json"));
    strip(&mut results);
    results
}

#[test]
fn results_summarise_the_runs() {
    let results = json(finished().join("results.json"));
    let runs = results["runs"].as_array().unwrap();
    assert_eq!((runs.len(), results["rows"].as_array().unwrap().len()), (8, 4));
    let f1 = |run: &Value| run.pointer("/outcome/test/entities/strict/micro/f1").unwrap().as_f64().unwrap();
    let of_row: Vec<f64> = runs
        .iter()
        .filter(|run| (&run["system"], &run["protocol"]) == (&"CMAN".into(), &"train".into()))
        .map(f1)
        .collect();
    for row in results["rows"].as_array().unwrap() {
        for task in ["entities", "relations"] {
            let mean = row["test"][task]["strict"]["micro"]["mean"].as_f64().unwrap();
            assert!(mean > 0.0, "{task} of {} with {}", row["system"], row["protocol"]);
        }
    }
    let row = &results["rows"][0];
    assert_eq!((&row["system"], &row["protocol"], &row["runs"]), (&"CMAN".into(), &"train".into(), &2.into()));
    let (a, b) = (of_row[0], of_row[1]);
    let moments = &row["test"]["entities"]["strict"]["micro"];
    assert!((moments["mean"].as_f64().unwrap() - (a + b) / 2.0).abs() < 1e-12);
    assert!((moments["deviation"].as_f64().unwrap() - (a - b).abs() / 2.0_f64.sqrt()).abs() < 1e-12);

    for run in runs {
        let outcome = &run["outcome"];
        let both = run["protocol"] == "train+dev";
        assert_eq!(
            (&outcome["train_sentences"], outcome["dev"].is_null()),
            (&(if both { 380 } else { 320 }).into(), both)
        );
        let folder = finished().join("runs").join(run["id"].as_str().unwrap());
        assert_eq!(folder.join("dev.jsonl").exists(), !both);
        assert!(folder.join("run.json").exists() && !folder.join("checkpoint").exists());
        let test = format!("{}/test.json", small_corpus());
        let predictions = folder.join("test.jsonl");
        let types = test.replace("test.json", "types.json");
        let args =
            ["score", "--gold", &test, "--pred", predictions.to_str().unwrap(), "--types", &types, "--json", "-"];
        assert_eq!(serde_json::from_str::<Value>(&cman(&args).quiet()).unwrap(), outcome["test"]);
    }
    // The run on train and dev has the number of epochs that was best on dev.
    let epoch = |protocol: &str, system: &str| {
        let of = |run: &&Value| run["protocol"] == protocol && run["system"] == system && run["seed"] == 1;
        runs.iter().find(of).unwrap()["outcome"]["epoch"].clone()
    };
    assert_eq!(epoch("train", "CMAN"), epoch("train+dev", "CMAN"));
    let gold = |row: &Value| row["test_gold_labels"].is_object();
    assert!(gold(&results["rows"][0]) && !gold(&results["rows"][1]), "only CMAN reads labels");
    let comparisons = results["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 4, "one other system, two protocols, two seeds");
    assert!(comparisons.iter().all(|comparison| comparison["a"] == "CMAN" && comparison["sentences"] == 60));
    let length = results["rows"][0]["length"].as_array().unwrap();
    assert_eq!(length.iter().map(|group| group["gold_relations"].as_u64().unwrap()).sum::<u64>(), relations("dev"));
}

/// Number of relations in a part of the corpus.
fn relations(part: &str) -> u64 {
    let sentences = json(format!("{}/{part}.json", small_corpus()));
    sentences.as_array().unwrap().iter().map(|sentence| sentence["relations"].as_array().unwrap().len() as u64).sum()
}

#[test]
fn finished_runs_are_reused_and_results_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("again");
    let (out, runs) = (out.to_str().unwrap(), finished().join("runs"));
    let file = small_experiment();
    let args = ["experiment", file, "--out", out, "--runs", runs.to_str().unwrap()];
    let output = cman(&args).quiet();
    assert_eq!(output.matches("(finished before)").count(), 8, "{output}");
    let mut again = without_times(Path::new(out));
    let expected = without_times(finished());
    assert!(again["folder"].as_str().unwrap().ends_with("cman-cli-experiment/runs"));
    again["folder"] = "runs".into();
    assert_eq!(again, expected);
    assert_eq!(cman(&args).failure(), format!("{out}: contains results; use --resume to continue"));
    let planned = cman(&[&args[..], &["--plan", "--seeds", "2"]].concat()).quiet();
    let id = expected["runs"][2]["id"].as_str().unwrap();
    assert!(planned.starts_with(&format!("{id}  CMAN, sample, train, seed 2  (finished)\n")), "{planned}");
    assert_eq!(planned.lines().count(), 4);
}

/// An archive of the finished experiment.
fn archive(folder: &Path) -> String {
    let (path, runs) = (folder.join("runs.jsonl"), finished().join("runs"));
    let (path, runs) = (path.to_str().unwrap(), runs.to_str().unwrap());
    let output = cman(&["archive", runs, "--out", path]).quiet();
    assert_eq!(output, format!("wrote {path}: 8 runs, 8 of them from {runs}\n"));
    path.to_owned()
}

#[test]
fn an_experiment_with_an_archive_trains_nothing_and_has_the_same_results() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path());
    let text = fs::read_to_string(&archive).unwrap();
    let config = json_line(&text, 0);
    let of_run = finished().join("runs").join(config["id"].as_str().unwrap()).join("config.toml");
    assert_eq!(config["config"], fs::read_to_string(of_run).unwrap());

    let [resumed, new] = ["resumed", "new"].map(|name| folder.path().join(name));
    fs::create_dir(&resumed).unwrap();
    fs::copy(finished().join("results.json"), resumed.join("results.json")).unwrap();
    let expected = without_command(finished());
    assert_eq!(expected["comparisons"].as_array().unwrap().len(), 4);
    for out in [&resumed, &new] {
        let args =
            ["experiment", small_experiment(), "--out", out.to_str().unwrap(), "--archive", &archive, "--resume"];
        let planned = cman(&[&args[..], &["--plan"]].concat()).quiet();
        assert_eq!((planned.lines().count(), planned.matches("  (finished)\n").count()), (8, 8), "{planned}");
        let output = cman(&args).quiet();
        assert_eq!(output.matches("(finished before)").count(), 8, "{output}");
        assert_eq!(fs::read_dir(out.join("runs")).unwrap().count(), 0, "nothing was trained");
        let mut results = without_command(out);
        let comparisons = results["comparisons"].take();
        if out == &new {
            assert_eq!(comparisons, Value::Array(Vec::new()), "comparisons need predictions");
        } else {
            assert_close(&comparisons, &expected["comparisons"]);
        }
        results["comparisons"] = expected["comparisons"].clone();
        assert_eq!(results, expected);
    }

    let again = cman(&["archive", resumed.join("runs").to_str().unwrap(), "--out", &archive]).quiet();
    assert!(again.contains(": 8 runs, 0 of them from "), "{again}");
    assert_eq!(fs::read_to_string(&archive).unwrap(), text, "the archive keeps its runs");
}

#[test]
fn a_damaged_archive_is_an_error_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path());
    let text = fs::read_to_string(&archive).unwrap();
    fs::write(&archive, &text[..text.len() - 100]).unwrap();
    let out = folder.path().join("out");
    let file = small_experiment();
    let experiment = ["experiment", file, "--out", out.to_str().unwrap(), "--archive", &archive];
    let runs = finished().join("runs");
    for args in [&experiment[..], &["archive", runs.to_str().unwrap(), "--out", &archive]] {
        let message = cman(args).failure();
        assert!(message.starts_with(&format!("{archive}: line 8: EOF while parsing")), "{message}");
    }
    assert!(!out.exists());
}

/// The results without the command.
fn without_command(folder: &Path) -> Value {
    let mut results = json(folder.join("results.json"));
    results["command"].take();
    results
}

/// Compares JSON values, numbers up to rounding: serde_json may change the last bit of a number that it reads.
#[track_caller]
fn assert_close(a: &Value, b: &Value) {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| assert_close(a, b));
        }
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()));
            a.values().zip(b.values()).for_each(|(a, b)| assert_close(a, b));
        }
        (Value::Number(a), Value::Number(b)) => {
            assert!((a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-12, "{a} and {b}");
        }
        _ => assert_eq!(a, b),
    }
}

fn json_line(text: &str, i: usize) -> Value {
    serde_json::from_str(text.lines().nth(i).unwrap()).unwrap()
}

#[test]
fn a_killed_experiment_resumes_with_the_same_results() {
    let [uninterrupted, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let file = small_experiment();
    let short = ["--set", "train.epochs=2", "--set", "train.batch_size=16"];
    let [expected, out] = [&uninterrupted, &folder].map(|folder| folder.path().to_str().unwrap());
    let args = [&["experiment", file, "--resume"][..], &SMALL, &short].concat();
    cman(&[&args[..], &["--out", expected]].concat()).quiet();
    let args = [&args[..], &["--out", out]].concat();
    let count = |name: &str| {
        let runs = fs::read_dir(folder.path().join("runs")).into_iter().flatten().flatten();
        runs.filter(|run| run.path().join(name).exists()).count()
    };
    // The first kill is within the first run, the second a few runs later.
    for finished in [0, 3] {
        let mut child = command(&args).spawn().unwrap();
        let start = Instant::now();
        while count("run.json") < finished || count("checkpoint/state.json") == 0 {
            assert!(start.elapsed() < Duration::from_secs(300) && child.try_wait().unwrap().is_none());
            thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(count("run.json") < 8, "the experiment was killed before its end");
    }
    let output = cman(&args).quiet();
    assert!(output.contains("(finished before)"), "{output}");
    assert_eq!(without_times(folder.path()), without_times(uninterrupted.path()));
}

#[test]
fn a_failed_run_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("a.toml"), folder.path().join("out"));
    let sample = format!("{}/../cman-data/sample", env!("CARGO_MANIFEST_DIR"));
    let text = format!(
        "name = 'a'\ntitle = 'A < B & C'\nbaseline = 'good'\nset = ['model.hidden=4', 'model.heads=2', 'train.epochs=1',
          'model.relation.hidden=4', 'model.character.width=4', 'model.word.width=4']
         [[corpora]]\nname = 'dev'\ntrain = '{sample}/dev.json'\nfolds = 2\ndev_share = 0.2
         [[systems]]\nname = 'bad'\nset = ['train.learning_rate=1e38']
         [[systems]]\nname = 'good'\n"
    );
    fs::write(&file, text).unwrap();
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let run = cman(&["experiment", file, "--out", out]);
    assert_eq!(run.failure(), format!("{out}/results.json: 2 of 4 runs failed"));
    let results = json(format!("{out}/results.json"));
    assert_eq!((&results["rows"][0]["failed"], &results["rows"][1]["runs"]), (&2.into(), &2.into()));
    let failed = &results["runs"][0];
    let reason = failed["error"].as_str().unwrap();
    assert!(reason.contains("is not finite"), "{reason}");
    let error_file = format!("{out}/runs/{}/error.txt", failed["id"].as_str().unwrap());
    assert_eq!(fs::read_to_string(error_file).unwrap(), format!("{reason}\n"));
    assert_eq!(results["runs"][1]["outcome"]["dev_sentences"], 17, "a fifth of half of the sentences");
    cman(&["report", out]).quiet();
    let page = fs::read_to_string(format!("{out}/report.html")).unwrap();
    assert!(page.contains("A &lt; B &amp; C") && page.contains("2 failed") && page.contains("is not finite"));
}

#[test]
fn every_number_of_a_report_is_in_the_results() {
    let folder = finished();
    let output = cman(&["report", folder.to_str().unwrap()]).quiet();
    assert!(output.contains("report.html") && output.contains("report.md"), "{output}");
    let results = json(folder.join("results.json"));
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    let markdown = fs::read_to_string(folder.join("report.md")).unwrap();
    let mut values = 0;
    for number in page.split("data-path=\"").skip(1) {
        let (path, rest) = number.split_once('"').unwrap();
        let path = path.replace("&#x2f;", "/");
        let unit = rest.strip_prefix(" data-unit=\"").unwrap().split('"').next().unwrap();
        let text = rest.split_once('>').unwrap().1.split('<').next().unwrap();
        let value = results.pointer(&path).unwrap_or_else(|| panic!("{path}")).as_f64().unwrap();
        let expected = match unit {
            "percent" => format!("{:.2}", 100.0 * value),
            "points" => format!("{value:.2}"),
            "count" => format!("{value}"),
            "tenths" => format!("{value:.1}"),
            "probability" => format!("{value:.4}"),
            unit => panic!("unknown unit {unit}"),
        };
        assert_eq!(text, expected, "{path}");
        values += 1;
    }
    assert!(values > 300, "{values}");
    assert!(!results["rows"].as_array().unwrap().is_empty());
    for row in results["rows"].as_array().unwrap() {
        let micro = &row["test"]["relations"]["strict"]["micro"];
        let percent = |key: &str| format!("{:.2}", 100.0 * micro[key].as_f64().unwrap());
        let both = format!("{} ± {}", percent("mean"), percent("deviation"));
        assert!(markdown.contains(&both), "{both}");
    }
    assert!(!results["files"][0]["files"].as_array().unwrap().is_empty());
    for file in results["files"][0]["files"].as_array().unwrap() {
        let sum = file["sha256"].as_str().unwrap();
        assert!(page.contains(sum) && markdown.contains(sum));
    }
    for text in ["Nobody&#x27;s model", "cman experiment ", "hidden = 32", "Error browser", "sample-test-001"] {
        assert!(page.contains(text), "{text}");
    }
    let external = ["http:", "https:", "src=", "@import", "url("];
    let xml = page.replace("http://www.w3.org/2000/svg", "");
    assert!(external.iter().all(|text| !xml.contains(text)), "the page is self-contained");
    let plots = markdown.lines().filter_map(|line| Some(line.split_once("](plots/")?.1.trim_end_matches(')')));
    let plots: Vec<&str> = plots.collect();
    assert!(!plots.is_empty() && plots.iter().all(|name| folder.join("plots").join(name).is_file()), "{plots:?}");
    let none = tempfile::tempdir().unwrap();
    let none = none.path().to_str().unwrap();
    assert!(cman(&["report", none]).failure().starts_with(&format!("{none}/results.json: ")));
}
