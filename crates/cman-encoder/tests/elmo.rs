//! ELMo against reference values: our own (`elmo/README.md`), and those published with the two reference
//! implementations, where these are at hand; and what it says to damaged files.

#![cfg(any(feature = "flex", feature = "ndarray"))]

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use cman_core::{
    Backend,
    encoder::{Elmo, ElmoState, EncoderError},
};
use safetensors::{Dtype, SafeTensors};

fn devices() -> Vec<Device> {
    let cpu = [Backend::Flex, Backend::NdArray].into_iter();
    cpu.filter_map(|backend| backend.device().ok()).collect()
}

fn device() -> Device {
    devices().remove(0)
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/elmo")
}

/// The folder of the published fixtures; prints why a test does nothing without it.
fn published() -> Option<PathBuf> {
    let shared = match env::var_os("CMAN_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let folder = shared.join("data/elmo");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no published fixtures in {}", folder.display());
    None
}

/// The largest difference, which NaN would be.
fn worst(found: &[f32], expected: impl ExactSizeIterator<Item = f64>) -> f64 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(&a, b)| (f64::from(a) - b).abs());
    differences
        .fold(0.0, |worst, difference| if difference > worst || difference.is_nan() { difference } else { worst })
}

fn slices(batch: &[Vec<String>]) -> Vec<&[String]> {
    batch.iter().map(Vec::as_slice).collect()
}

struct Own {
    batches: Vec<Vec<Vec<String>>>,
    expected: HashMap<String, Vec<f64>>,
}

fn own_expected() -> Own {
    let bytes = fs::read(own().join("expected.safetensors")).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let batches = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["batches"]).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |data: &[u8]| data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    let expected = tensors.iter().map(|(name, tensor)| {
        assert_eq!(tensor.dtype(), Dtype::F64);
        (name.to_owned(), numbers(tensor.data()))
    });
    Own { batches, expected: expected.collect() }
}

fn check_own(elmo: &Elmo) {
    let Own { batches, mut expected } = own_expected();
    let mut check = |name: String, found: &[f32]| match expected.remove(&name) {
        Some(expected) => {
            let worst = worst(found, expected.into_iter());
            assert!(worst < 5e-6, "{name}: {worst:e}");
        }
        None => assert!(found.is_empty(), "{name}"),
    };
    let mut state = ElmoState::default();
    for (b, batch) in batches.iter().enumerate() {
        let alone = elmo.encode(&slices(batch));
        let carried = elmo.encode_with_state(&slices(batch), &mut state);
        for i in 0..batch.len() {
            assert_eq!(carried[i].len(), batch[i].len() * 3 * 12);
            check(format!("alone.{b}.{i}"), &alone[i]);
            check(format!("carried.{b}.{i}"), &carried[i]);
        }
    }
    assert!(expected.is_empty(), "never compared: {:?}", expected.keys());
}

#[test]
fn elmo_equals_the_reference() {
    for device in devices() {
        let elmo = Elmo::load_dir(&own(), &device).unwrap();
        assert_eq!((elmo.n_layers(), elmo.width()), (3, 12));
        check_own(&elmo);
        check_own(&elmo.with_word_cache(0));
    }
}

#[test]
fn elmo_converts_to_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("converted");
    Elmo::convert(&own().join("options.json"), &own().join("weights.hdf5"), &dir).unwrap();
    let mut names: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["options.json", "weights.safetensors"]);
    let (from_hdf5, converted) = (Elmo::load_dir(&own(), &device()).unwrap(), Elmo::load_dir(&dir, &device()).unwrap());
    check_own(&converted);
    let sentence: &[&str] = &["The", "same", "bits", "."];
    assert_eq!(from_hdf5.encode(&[sentence]), converted.encode(&[sentence]));

    let path = dir.join("weights.safetensors");
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = Elmo::load_dir(&dir, &device()).unwrap_err();
        assert!(matches!(error, EncoderError::Format { .. }), "{length} bytes: {error}");
    }
}

#[test]
fn elmo_vectors_do_not_depend_on_the_company() {
    for device in devices() {
        let elmo = Elmo::load_dir(&own(), &device).unwrap();
        let words = ["one", "two", "Grüße", "", "x", ".", "of"];
        let sentences: Vec<Vec<&str>> =
            (0..150).map(|i| (0..i * 7 % 23).map(|j| words[(i + j * j) % words.len()]).collect()).collect();
        let together = elmo.encode(&sentences.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(together.len(), sentences.len());
        for (sentence, vectors) in sentences.iter().zip(together) {
            assert_eq!(elmo.encode(&[sentence.as_slice()]), [vectors], "{sentence:?}");
        }
        assert!(elmo.encode::<&str>(&[]).is_empty());
    }
}

#[test]
fn elmo_reads_the_first_bytes_of_a_long_token_and_an_empty_one() {
    let elmo = Elmo::load_dir(&own(), &device()).unwrap();
    let long = "x".repeat(10_000);
    let vectors = |token: &str| elmo.encode(&[&["a", token, "b"]]).remove(0);
    // Twelve places, less the marks of the word.
    assert_eq!(vectors(&long), vectors(&long[..10]));
    assert_ne!(vectors(&long), vectors(&long[..9]));
    assert_eq!(vectors("").len(), 3 * 3 * 12);
    assert_ne!(vectors(""), vectors("x"));
    assert!(vectors("").iter().all(|x| x.is_finite()));
}

#[test]
fn elmo_encodes_a_sentence_of_five_thousand_tokens() {
    let elmo = Elmo::load_dir(&own(), &device()).unwrap();
    let words: Vec<String> = (0..5000).map(|i| format!("w{}", i % 700)).collect();
    let long = elmo.encode(&[&words[..]]).remove(0);
    assert_eq!(long.len(), 5000 * 3 * 12);
    assert!(long.iter().all(|x| x.is_finite()));
    // The forward states of the first tokens know nothing of the rest.
    let short = elmo.encode(&[&words[..9]]).remove(0);
    for (a, b) in long.chunks_exact(12).zip(short.chunks_exact(12)) {
        assert_eq!(a[..6], b[..6]);
    }
}

/// Batches of a published fixture: sentence `i` of each of its streams.
fn published_batches(path: &Path) -> Vec<Vec<Vec<String>>> {
    let streams: Vec<Vec<String>> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let tokens = |sentence: &String| sentence.split_whitespace().map(str::to_owned).collect();
    (0..streams[0].len()).map(|i| streams.iter().map(|stream| tokens(&stream[i])).collect()).collect()
}

#[test]
fn elmo_equals_the_published_vectors() {
    let Some(folder) = published() else { return };
    for (model, sentences) in [("allennlp", "sentences.json"), ("bilm-tf", "lm_embeddings_sentences.json")] {
        let dir = folder.join(model);
        let batches = published_batches(&dir.join(sentences));
        assert_eq!(batches.len(), 10);
        for device in devices() {
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
                        // The top layer, of the forward direction first, as it is stored.
                        let top = (0..2).flat_map(|direction| {
                            let tokens = vectors[i].chunks_exact(3 * 2 * width);
                            tokens.flat_map(move |token| &token[(4 + direction) * width..][..width])
                        });
                        let top: Vec<f32> = top.copied().collect();
                        let worst = worst(&top, stored.iter().map(|&x| f64::from(x)));
                        assert!(worst < 1e-5, "{model}, batch {b}, sentence {i}: {worst:e}");
                        largest = largest.max(worst);
                    }
                }
            }
            println!("{model} on {device:?}: largest difference {largest:.1e}");
        }
    }
}

#[test]
fn elmo_carries_state_only_where_asked() {
    let elmo = Elmo::load_dir(&own(), &device()).unwrap();
    let batch: &[&[&str]] = &[&["a", "b"], &["c"]];
    let alone = elmo.encode(batch);
    let mut state = ElmoState::default();
    assert_eq!(elmo.encode_with_state(batch, &mut state), alone);
    assert_ne!(elmo.encode_with_state(batch, &mut state), alone);
    assert_eq!(elmo.encode(batch), alone);
}

#[test]
fn elmo_token_embeddings_equal_the_published_ones() {
    let Some(folder) = published() else { return };
    let dir = folder.join("allennlp");
    let text = fs::read_to_string(dir.join("vocab_test.txt")).unwrap();
    let tokens: Vec<&str> = text.trim().split('\n').collect();
    let file = hdf5_pure::File::open(dir.join("elmo_token_embeddings.hdf5")).unwrap();
    let stored = file.dataset("embedding").unwrap().read_f32().unwrap();
    for device in devices() {
        let elmo = Elmo::load(&dir.join("options.json"), &dir.join("lm_weights.hdf5"), &device).unwrap();
        let width = elmo.width() / 2;
        let vectors = elmo.encode(&[&tokens[..]]).remove(0);
        for token in vectors.chunks_exact(3 * 2 * width) {
            assert_eq!(token[..width], token[width..2 * width], "layer 0 is the token's vector twice");
        }
        let found: Vec<f32> = vectors.chunks_exact(6 * width).flat_map(|token| &token[..width]).copied().collect();
        let worst = worst(&found, stored.iter().map(|&x| f64::from(x)));
        assert!(worst < 1e-5, "{worst:e}");
        println!("{} tokens on {device:?}: largest difference {worst:.1e}", tokens.len());
    }
}

/// A copy of our fixture whose options or weights a test may damage.
struct Damaged {
    folder: tempfile::TempDir,
}

impl Damaged {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["options.json", "weights.hdf5"] {
            fs::copy(own().join(name), folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn load(&self) -> Result<Elmo, EncoderError> {
        Elmo::load_dir(self.folder.path(), &device())
    }

    /// The error with the options changed at `pointer`.
    fn with_option(pointer: &str, value: serde_json::Value) -> EncoderError {
        let damaged = Self::new();
        let path = damaged.folder.path().join("options.json");
        let mut options: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        *options.pointer_mut(pointer).unwrap() = value;
        fs::write(&path, options.to_string()).unwrap();
        damaged.load().expect_err(pointer)
    }

    /// The error with other tensors in the converted weights.
    fn with_tensors(change: impl Fn(&mut Vec<(String, Vec<usize>, Vec<u8>)>)) -> EncoderError {
        let damaged = Self::new();
        let dir = damaged.folder.path();
        Elmo::convert(&dir.join("options.json"), &dir.join("weights.hdf5"), &dir.join("converted")).unwrap();
        let path = dir.join("converted/weights.safetensors");
        let bytes = fs::read(&path).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors: Vec<_> =
            tensors.iter().map(|(name, t)| (name.to_owned(), t.shape().to_vec(), t.data().to_vec())).collect();
        change(&mut tensors);
        let views = tensors.iter().map(|(name, shape, data)| {
            (name, safetensors::tensor::TensorView::new(Dtype::F32, shape.clone(), data).unwrap())
        });
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        Elmo::load_dir(&dir.join("converted"), &device()).unwrap_err()
    }
}

#[test]
fn elmo_is_named_by_the_content_of_its_files() {
    let name = |folder: &Path| Elmo::hash_dir(folder).unwrap();
    let damaged = Damaged::new();
    let folder = damaged.folder.path();
    for file in ["options.json", "weights.hdf5"] {
        fs::rename(folder.join(file), folder.join(format!("elmo_tiny_{file}"))).unwrap();
    }
    assert_eq!(name(folder), name(&own()));
    assert_eq!(Elmo::files(folder).unwrap()[1], folder.join("elmo_tiny_weights.hdf5"));
    let converted = folder.join("converted");
    Elmo::convert(&own().join("options.json"), &own().join("weights.hdf5"), &converted).unwrap();
    let mut names = vec![name(folder), name(&converted)];
    for file in ["elmo_tiny_options.json", "elmo_tiny_weights.hdf5"] {
        let path = folder.join(file);
        fs::write(&path, [&fs::read(&path).unwrap()[..], b" "].concat()).unwrap();
        names.push(name(folder));
    }
    for (i, name) in names.iter().enumerate() {
        assert!(name.len() == 64 && !names[..i].contains(name), "{names:?}");
    }
    fs::copy(folder.join("elmo_tiny_weights.hdf5"), folder.join("other_weights.hdf5")).unwrap();
    assert!(Elmo::hash_dir(folder).unwrap_err().to_string().ends_with("'weights.hdf5', found several"));
}

#[test]
fn elmo_is_converted_beside_the_published_files() {
    let damaged = Damaged::new();
    let folder = damaged.folder.path();
    let [options, weights] = Elmo::files(folder).unwrap();
    let text = fs::read(&options).unwrap();
    Elmo::convert(&options, &weights, folder).unwrap();
    assert_eq!(fs::read(&options).unwrap(), text, "under its own name");
    let published = folder.join("elmo_tiny_options.json");
    fs::rename(&options, &published).unwrap();
    Elmo::convert(&published, &weights, folder).unwrap();
    assert_eq!(Elmo::files(folder).unwrap(), [folder.join("options.json"), folder.join("weights.safetensors")]);
    damaged.load().unwrap();
}

#[test]
fn elmo_refuses_damaged_hdf5() {
    let damaged = Damaged::new();
    let path = damaged.folder.path().join("weights.hdf5");
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 8, 95, 96, 500, 2048, 10_000, bytes.len() / 2, bytes.len() - 100, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = damaged.load().unwrap_err();
        assert!(matches!(error, EncoderError::Format { .. }), "{length} bytes: {error}");
        assert!(error.to_string().contains("weights.hdf5"), "{error}");
    }
    // A changed byte may change a number and no more, but must not bring the reader down.
    for place in (0..bytes.len()).step_by(61) {
        let mut changed = bytes.clone();
        changed[place] ^= 0xa5;
        fs::write(&path, changed).unwrap();
        if let Ok(elmo) = damaged.load() {
            assert_eq!(elmo.encode(&[&["a"]])[0].len(), 3 * 12);
        }
    }
    fs::write(&path, "not weights at all, but long enough to look for a header in it").unwrap();
    assert!(matches!(damaged.load().unwrap_err(), EncoderError::Format { .. }));
    fs::remove_file(&path).unwrap();
    assert!(damaged.load().unwrap_err().to_string().contains("found none"));
    let missing = Elmo::load(&own().join("options.json"), &path, &device()).unwrap_err();
    assert!(matches!(missing, EncoderError::Io { .. }), "{missing}");
}

#[test]
fn elmo_names_a_missing_or_misshapen_tensor() {
    let names = ["char_embed", "CNN/b_cnn_1", "CNN_high_0/W_carry", "CNN_proj/W_proj"];
    for name in names.into_iter().chain(["RNN_1/RNN/MultiRNNCell/Cell0/LSTMCell/W_P_0"]) {
        let missing = Damaged::with_tensors(|tensors| tensors.retain(|(other, ..)| other != name));
        assert!(matches!(&missing, EncoderError::MissingTensor { tensor, .. } if tensor == name), "{missing}");
    }
    let transposed = Damaged::with_tensors(|tensors| {
        tensors.iter_mut().find(|(name, ..)| name == "CNN_proj/W_proj").unwrap().1.reverse();
    });
    match &transposed {
        EncoderError::Shape { tensor, expected, found, .. } => {
            assert_eq!((tensor.as_str(), &expected[..], &found[..]), ("CNN_proj/W_proj", &[16, 6][..], &[6, 16][..]));
        }
        other => panic!("{other}"),
    }
    let flat = Damaged::with_tensors(|tensors| {
        let embedding = tensors.iter_mut().find(|(name, ..)| name == "char_embed").unwrap();
        embedding.1 = vec![261 * 3];
    });
    assert!(matches!(flat, EncoderError::Shape { .. }), "{flat}");
    let not_a_number = Damaged::with_tensors(|tensors| {
        tensors[0].2[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    assert!(not_a_number.to_string().contains("number 0 is NaN"), "{not_a_number}");
}

#[test]
fn elmo_refuses_options_that_contradict_the_weights() {
    for (pointer, value, field) in [
        ("/lstm/dim", 21, "lstm.dim"),
        ("/lstm/projection_dim", 8, "lstm.projection_dim"),
        ("/lstm/n_layers", 1, "lstm.n_layers"),
        ("/lstm/n_layers", 3, "lstm.n_layers"),
        ("/char_cnn/embedding/dim", 4, "char_cnn.embedding.dim"),
        ("/char_cnn/n_characters", 261, "char_cnn.n_characters"),
        ("/char_cnn/n_highway", 2, "char_cnn.n_highway"),
        ("/char_cnn/n_highway", 0, "char_cnn.n_highway"),
        ("/char_cnn/filters/1/0", 3, "char_cnn.filters[1][0]"),
        ("/char_cnn/filters/2/1", 9, "char_cnn.filters[2][1]"),
        // What no weights could agree with.
        ("/lstm/dim", 0, "lstm.dim"),
        ("/char_cnn/max_characters_per_token", 2, "char_cnn.max_characters_per_token"),
        ("/char_cnn/max_characters_per_token", 3, "char_cnn.filters"),
        ("/lstm/cell_clip", -1, "lstm.cell_clip"),
    ] {
        match Damaged::with_option(pointer, value.into()) {
            EncoderError::Options { path, field: named, expected, found } => {
                assert!(path.ends_with("options.json") && named == field, "{pointer}: {named}");
                assert!(!expected.is_empty() && !found.is_empty());
            }
            other => panic!("{pointer}: {other}"),
        }
    }
    let filters = Damaged::with_option("/char_cnn/filters", serde_json::json!([[1, 4], [2, 5]]));
    assert!(filters.to_string().contains("filters': expected 3 as in"), "{filters}");
    let activation = Damaged::with_option("/char_cnn/activation", "gelu".into());
    assert!(activation.to_string().contains("unknown variant `gelu`, expected `relu` or `tanh`"), "{activation}");
}
