//! ELMo against the vectors that are published with the two reference implementations, if the files are there.

use std::{fs, path::Path};

use cman_encoder::{Elmo, ElmoState};

use crate::{
    common::cpu_devices,
    fixture::{max_difference, slices},
    real_data::real_data,
};

/// Batches of a published fixture: batch `i` holds sentence `i` of each stream.
fn published_batches(path: &Path) -> Vec<Vec<Vec<String>>> {
    let streams: Vec<Vec<String>> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let tokens = |sentence: &String| sentence.split_whitespace().map(str::to_owned).collect();
    (0..streams[0].len()).map(|i| streams.iter().map(|stream| tokens(&stream[i])).collect()).collect()
}

#[test]
fn elmo_equals_the_published_vectors() {
    let Some(folder) = real_data("elmo") else { return };
    for (model, sentences) in [("allennlp", "sentences.json"), ("bilm-tf", "lm_embeddings_sentences.json")] {
        let dir = folder.join(model);
        let batches = published_batches(&dir.join(sentences));
        assert_eq!(batches.len(), 10);
        for device in cpu_devices() {
            let load = |name: &str| Elmo::load(&dir.join("options.json"), &dir.join(name), &device).unwrap();
            let elmo = load("lm_weights.hdf5");
            let (width, mut state, mut largest) = (elmo.width() / 2, ElmoState::default(), 0.0f64);
            for (b, batch) in batches.iter().enumerate() {
                let carried = elmo.encode_with_state(&slices(batch), &mut state);
                let alone = if b == 0 { Some(elmo.encode(&slices(batch))) } else { None };
                for (i, sentence) in batch.iter().enumerate() {
                    let file = hdf5_pure::File::open(dir.join(format!("lm_embeddings_{i}.hdf5"))).unwrap();
                    let stored = file.dataset(&b.to_string()).unwrap();
                    assert_eq!(stored.shape().unwrap(), [2, sentence.len() as u64, width as u64]);
                    let stored = stored.read_f32().unwrap();
                    for vectors in [Some(&carried), alone.as_ref()].into_iter().flatten() {
                        // The files hold the top layer, the forward direction first.
                        let top = (0..2).flat_map(|direction| {
                            let tokens = vectors[i].chunks_exact(3 * 2 * width);
                            tokens.flat_map(move |token| &token[(4 + direction) * width..][..width])
                        });
                        let top: Vec<f32> = top.copied().collect();
                        let difference = max_difference(&top, stored.iter().map(|&x| f64::from(x)));
                        assert!(difference < 1e-5, "{model}, batch {b}, sentence {i}: {difference:e}");
                        largest = largest.max(difference);
                    }
                }
            }
            println!("{model} on {device:?}: largest difference {largest:.1e}");
        }
    }
}

#[test]
fn elmo_token_embeddings_equal_the_published_ones() {
    let Some(dir) = real_data("elmo/allennlp") else { return };
    let text = fs::read_to_string(dir.join("vocab_test.txt")).unwrap();
    let tokens: Vec<&str> = text.trim().split('\n').collect();
    let file = hdf5_pure::File::open(dir.join("elmo_token_embeddings.hdf5")).unwrap();
    let stored = file.dataset("embedding").unwrap().read_f32().unwrap();
    for device in cpu_devices() {
        let elmo = Elmo::load(&dir.join("options.json"), &dir.join("lm_weights.hdf5"), &device).unwrap();
        let width = elmo.width() / 2;
        let vectors = elmo.encode(&[&tokens[..]]).remove(0);
        for token in vectors.chunks_exact(3 * 2 * width) {
            assert_eq!(token[..width], token[width..2 * width], "layer 0 repeats the token vector");
        }
        let found: Vec<f32> = vectors.chunks_exact(6 * width).flat_map(|token| &token[..width]).copied().collect();
        let difference = max_difference(&found, stored.iter().map(|&x| f64::from(x)));
        assert!(difference < 1e-5, "{difference:e}");
        println!("{} tokens on {device:?}: largest difference {difference:.1e}", tokens.len());
    }
}
