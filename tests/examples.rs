//! Every example runs.

use std::{env, path::PathBuf, process::Command};

/// Runs an example that `cargo test` has built, and gives what it printed.
fn run(name: &str, arguments: &[&str]) -> String {
    // The test binary lies in target/PROFILE/deps, the examples in target/PROFILE/examples.
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
        let printed = run("conll04", &[&SMALL[..], &["--device", device.name()]].concat());
        for expected in ["epoch   1", "kept epoch 1", "test (65 sentences)", "Mrs. Tsuruyama is from Kumamoto"] {
            assert!(printed.contains(expected), "no {expected:?} in what {device} printed:\n{printed}");
        }
    }
}

#[test]
fn own_corpus_learns_its_task() {
    let printed = run("own_corpus", &[]);
    assert!(printed.contains("Makes(Hooli, Lamp)"), "{printed}");
}

#[test]
fn swap_backend_finds_hardly_any_difference() {
    let printed = run("swap_backend", &["--sentences", "3"]);
    let last = printed.lines().last().expect("a line").strip_prefix("largest difference: ").expect("the difference");
    let difference: f64 = last.split(' ').next().unwrap().parse().expect("a number");
    assert!(difference < 1e-4, "{printed}");
    for backend in cman::DeviceKind::compiled().iter().filter(|backend| backend.is_cpu()) {
        assert!(printed.contains(&format!("{backend:8} ")), "no line for {backend}:\n{printed}");
    }
}
