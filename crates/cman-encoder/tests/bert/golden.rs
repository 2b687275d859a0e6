//! The pieces, and the vectors of every layer with every pooling, against the `transformers` library.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use cman_encoder::{Bert, Pooling};
use safetensors::SafeTensors;

use crate::common::cpu_devices;

/// The folder of a tiny model.
pub fn tiny(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bert").join(name)
}

pub const TINY: [&str; 3] = ["bert", "distilbert", "roberta"];

struct Golden {
    words: Vec<Vec<String>>,
    counts: Vec<usize>,
    windows: Vec<Vec<u32>>,
    /// `[pieces, layers, width]`
    vectors: Vec<f32>,
}

impl Golden {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let words = serde_json::from_str(&header.metadata().as_ref().unwrap()["words"]).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let ints = |name: &str| -> Vec<usize> {
            let values = tensors.tensor(name).unwrap().data().as_chunks::<8>().0;
            values.iter().map(|&x| i64::from_le_bytes(x) as usize).collect()
        };
        let ids = ints("window.ids");
        let mut rest = ids.iter().map(|&id| id as u32);
        let windows = ints("window.lengths").iter().map(|&n| rest.by_ref().take(n).collect()).collect();
        let vectors = tensors.tensor("vectors").unwrap().data().as_chunks::<4>().0;
        Self {
            words,
            counts: ints("counts"),
            windows,
            vectors: vectors.iter().map(|&x| f32::from_le_bytes(x)).collect(),
        }
    }

    /// The expected word vectors of all sentences, `[words, layers, width]`. A word has `size` values.
    fn pooled(&self, pooling: Pooling, size: usize) -> Vec<f32> {
        let mut pieces = self.vectors.chunks_exact(size);
        let mut pooled = Vec::new();
        for &count in &self.counts {
            let own: Vec<&[f32]> = pieces.by_ref().take(count).collect();
            pooled.extend((0..size).map(|i| match pooling {
                Pooling::First => own[0][i],
                Pooling::Mean => (own.iter().map(|x| f64::from(x[i])).sum::<f64>() / count as f64) as f32,
                Pooling::Max => own.iter().map(|x| x[i]).fold(f32::NEG_INFINITY, f32::max),
            }));
        }
        assert!(pieces.next().is_none());
        pooled
    }
}

/// The largest difference over all layers, words and sentences, which is at most `tolerance`.
fn check(folder: &Path, device: &Device, tolerance: f32) -> f32 {
    let golden = Golden::read(&folder.join("goldens.safetensors"));
    let mut largest = 0.0f32;
    for pooling in [Pooling::First, Pooling::Mean, Pooling::Max] {
        let bert = Bert::load_dir(folder, pooling, device).unwrap();
        let pieces: Vec<_> = golden
            .words
            .iter()
            .map(|words| bert.cut(&words.iter().map(String::as_str).collect::<Vec<_>>()).unwrap())
            .collect();
        assert_eq!(pieces.iter().flat_map(|pieces| pieces.counts.clone()).collect::<Vec<_>>(), golden.counts);
        assert_eq!(pieces.iter().flat_map(|pieces| bert.windows(pieces)).collect::<Vec<_>>(), golden.windows);
        let found = bert.encode(&golden.words).unwrap().concat();
        let expected = golden.pooled(pooling, bert.n_layers() * bert.width());
        assert_eq!(found.len(), expected.len());
        for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
            assert!((a - b).abs() <= tolerance, "{} {pooling:?}, value {i}: {a} for {b}", folder.display());
            largest = largest.max((a - b).abs());
        }
    }
    largest
}

#[test]
fn tiny_models_equal_transformers_on_every_backend() {
    for name in TINY {
        for device in cpu_devices() {
            let largest = check(&tiny(name), &device, 2e-5);
            println!("{name} on {device:?}: largest difference {largest:e}");
        }
    }
}

/// The folder of MiniLM with reference values. Without it, prints that the test is skipped.
fn minilm(file: &str) -> Option<PathBuf> {
    let folder = env::var_os("CMAN_MINILM").map(PathBuf::from).filter(|folder| folder.join(file).is_file());
    if folder.is_none() {
        println!("skipped: CMAN_MINILM names no folder with {file} (see tests/bert/README.md)");
    }
    folder
}

#[test]
fn minilm_equals_transformers_on_conll04() {
    let Some(folder) = minilm("goldens.safetensors") else { return };
    let largest = check(&folder, &Device::flex(), 1e-4);
    println!("largest difference {largest:e}");
}

#[test]
fn minilm_cuts_whole_corpora_as_transformers_does() {
    let Some(folder) = minilm("pieces.json") else { return };
    #[derive(serde::Deserialize)]
    struct Cut {
        words: Vec<String>,
        ids: Vec<u32>,
        counts: Vec<usize>,
    }
    let expected: Vec<Cut> = serde_json::from_slice(&fs::read(folder.join("pieces.json")).unwrap()).unwrap();
    let bert = Bert::load_dir(&folder, Pooling::First, &Device::flex()).unwrap();
    assert!(!expected.is_empty());
    for cut in &expected {
        let found = bert.cut(&cut.words.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert_eq!((&found.ids, &found.counts), (&cut.ids, &cut.counts), "{:?}", cut.words);
    }
    println!("{} sentences", expected.len());
}
