//! Memory of a very long sentence. The test has its own process, because it measures the whole process.

#![cfg(all(target_os = "linux", any(feature = "flex", feature = "ndarray")))]

mod common;

use std::fs;

use cman_encoder::Elmo;
use safetensors::{Dtype, tensor::TensorView};

/// The peak memory of this process, in kilobytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The gates of all tokens would take 2 x 5002 x 4 x 1024 values, 164 MB.
#[test]
fn elmo_memory_does_not_grow_with_the_length_of_a_sentence() {
    let (d_state, d_cell) = (4, 1024);
    let folder = tempfile::tempdir().unwrap();
    let options = serde_json::json!({
        "lstm": {"dim": d_cell, "projection_dim": d_state, "n_layers": 1},
        "char_cnn": {
            "embedding": {"dim": 2}, "filters": [[1, 3]], "n_characters": 262, "max_characters_per_token": 50,
            "activation": "relu",
        },
    });
    fs::write(folder.path().join("options.json"), options.to_string()).unwrap();
    let mut shapes = vec![("char_embed".to_owned(), vec![261, 2])];
    for (name, shape) in [("W_cnn_0", vec![1, 1, 2, 3]), ("b_cnn_0", vec![3])] {
        shapes.push((format!("CNN/{name}"), shape));
    }
    for (name, shape) in [("W_proj", vec![3, d_state]), ("b_proj", vec![d_state])] {
        shapes.push((format!("CNN_proj/{name}"), shape));
    }
    for direction in 0..2 {
        for (name, shape) in
            [("W_0", vec![2 * d_state, 4 * d_cell]), ("B", vec![4 * d_cell]), ("W_P_0", vec![d_cell, d_state])]
        {
            shapes.push((format!("RNN_{direction}/RNN/MultiRNNCell/Cell0/LSTMCell/{name}"), shape));
        }
    }
    let zeros = vec![0; 4 * 2 * d_state * 4 * d_cell];
    let views = shapes.iter().map(|(name, shape)| {
        let bytes = &zeros[..4 * shape.iter().product::<usize>()];
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    fs::write(folder.path().join("weights.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();

    let elmo = Elmo::load_dir(folder.path(), &common::cpu_device()).unwrap();
    let words: Vec<String> = (0..5000).map(|i| format!("w{i}")).collect();
    elmo.encode(&[&words[..600]]);
    let before = peak();
    let vectors = elmo.encode(&[&words[..]]);
    assert_eq!(vectors[0].len(), 5000 * 2 * 2 * d_state);
    let grown = peak() - before;
    println!("{} MB before, {} MB more", before / 1024, grown / 1024);
    assert!(grown < 40 * 1024, "{grown} kB more than for 600 tokens");
}
