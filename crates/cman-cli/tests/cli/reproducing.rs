//! The same seed gives the same bits in different processes and with any number of threads, at the paper's sizes.

use std::fs;

use crate::program::{cman, sample};

#[test]
fn the_number_of_threads_does_not_change_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let (train, types) = (sample("dev.json"), sample("types.json"));
    let devices = [cfg!(feature = "flex").then_some("flex"), cfg!(feature = "ndarray").then_some("ndarray")];
    for device in devices.into_iter().flatten() {
        let weights = |threads: &str| {
            let out = folder.path().join(format!("{device}-{threads}"));
            let name = out.to_str().unwrap();
            let data = ["train", "--train", &train, "--types", &types, "--epochs", "1", "--out", name];
            cman(&[&data[..], &["--device", device, "--threads", threads]].concat()).quiet();
            fs::read(out.join("model.safetensors")).unwrap()
        };
        let one = weights("1");
        assert!(one.len() > 4_000_000, "{} bytes is too small for the paper's model", one.len());
        assert!(one == weights("2"), "{device}: different bytes with two threads");
        assert!(one == weights("3"), "{device}: different bytes with three threads");
    }
}
