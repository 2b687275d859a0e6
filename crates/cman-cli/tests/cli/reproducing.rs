//! One seed gives the same bits in two processes, with any number of threads, at the paper's sizes.

use std::fs;

use crate::program::{cman, sample};

#[test]
fn two_processes_with_one_and_with_two_threads_write_the_same_bytes() {
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
        assert!(one.len() > 4_000_000, "{} bytes are not the paper's model", one.len());
        assert!(one == weights("2"), "{device}: other bytes with two threads");
        assert!(one == weights("3"), "{device}: other bytes with three threads");
    }
}
