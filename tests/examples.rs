//! Runs every example.

use std::{env, path::PathBuf, process::Command};

/// Runs an example that `cargo test` has built. Returns its standard output.
fn run(name: &str, arguments: &[&str]) -> String {
    // The test binary is in target/PROFILE/deps, the examples are in target/PROFILE/examples.
    let mut path: PathBuf =
        env::current_exe().expect("the path of the test").parent().unwrap().parent().unwrap().into();
    path.extend(["examples", name]);
    let output = Command::new(path).args(arguments).output().expect("the example was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

const SMALL: [&str; 8] = [
    "--epochs",
    "1",
    "--set",
    "model.hidden=8",
    "--set",
    "model.relation.hidden=8",
    "--set",
    "model.character.width=8",
];

#[test]
fn conll04_trains_scores_and_extracts_on_every_cpu_backend() {
    for device in cman::DeviceKind::compiled().into_iter().filter(|backend| backend.is_cpu()) {
        let stdout = run("conll04", &[&SMALL[..], &["--device", device.name()]].concat());
        for expected in ["epoch   1", "kept epoch 1", "test (175 sentences)", "Mrs. Tsuruyama is from Kumamoto"] {
            assert!(stdout.contains(expected), "no {expected:?} in the output on {device}:\n{stdout}");
        }
    }
}

#[test]
fn own_corpus_extracts_the_relation() {
    let stdout = run("own_corpus", &[]);
    assert!(stdout.contains("Makes(Hooli, Lamp)"), "{stdout}");
}

#[test]
fn swap_backend_reports_small_differences() {
    let stdout = run("swap_backend", &["--sentences", "3"]);
    let last = stdout.lines().last().expect("a line").strip_prefix("largest difference: ").expect("the difference");
    let difference: f64 = last.split(' ').next().unwrap().parse().expect("a number");
    assert!(difference < 1e-4, "{stdout}");
    for backend in cman::DeviceKind::compiled().iter().filter(|backend| backend.is_cpu()) {
        assert!(stdout.contains(&format!("{backend:8} ")), "no line for {backend}:\n{stdout}");
    }
}
