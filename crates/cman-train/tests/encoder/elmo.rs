//! Training with ELMo.

use std::{fs, path::Path};

use cman_core::embedding::LayerMixer;
use cman_data::{ContextualVectorReader, ContextualVectorWriter, EncoderIdentity, Precision, Sentence};
use cman_encoder::Elmo;
use cman_model::{Config, Model};
use cman_train::evaluate;

use super::{config, embed, learner, load, message, open, run, words};
use crate::{
    common::{bits, elmo, elmo_copy, encoder, sentences},
    real_data::real_data,
};

fn elmo_config(folder: &Path, settings: &[&str]) -> Config {
    config(folder, &[&["encoder.kind=elmo"], settings].concat())
}

fn cache_config(file: &Path, settings: &[&str]) -> Config {
    config(file, &[&["encoder.kind=cache"], settings].concat())
}

/// A sentence outside of the training data.
fn new() -> [Sentence; 1] {
    [Sentence::from_tokens("new", ["Bo", "left", "Grünau", "."])]
}

fn predict(model: &Model) -> (String, Vec<cman_core::model::Prediction>) {
    (model.encoder().unwrap().identity().hash.clone(), model.predict(&new(), 1).unwrap())
}

/// Trains with computed vectors and with vectors from a file, and saves and loads both models.
fn check_computed_and_from_file(folder: &Path, shape: (usize, usize)) {
    let place = tempfile::tempdir().unwrap();
    let (direct, file) = (run(elmo_config(folder, &[])), place.path().join("features.safetensors"));
    let contextual = &direct.model.config().model.contextual;
    assert_eq!((contextual.layers, contextual.width), shape);
    let Some(LayerMixer::Scalar(mix)) = &direct.model.network().embedding.contextual else { panic!("a learned mix") };
    assert_ne!(mix.gamma.val().into_scalar::<f32>(), 1.0, "the mix of the layers is trained");
    assert_eq!(mix.weights.dims(), [shape.0]);
    // The learner cached the vectors and the model computes them.
    let scores = evaluate(&direct.model, &sentences()[8..], 3, false).unwrap().scores;
    assert_eq!(Some(scores), direct.dev);

    embed(folder, &sentences(), &file);
    let cached = run(cache_config(&file, &[]));
    assert!(bits(cached.model.network()) == bits(direct.model.network()));
    let expected = (direct.model.predict(&sentences(), 1).unwrap(), predict(&direct.model));
    let [by_encoder, by_file] = ["by_encoder", "by_file"].map(|name| place.path().join(name));
    direct.model.save(&by_encoder, &()).unwrap();
    cached.model.save(&by_file, &()).unwrap();
    for directory in [&by_encoder, &by_file] {
        let loaded = load(directory).unwrap();
        assert!(loaded.encoder().unwrap().as_bert().is_none());
        assert_eq!((loaded.predict(&sentences(), 1).unwrap(), predict(&loaded)), expected, "{directory:?}");
    }
    // Without the file, the encoder that computed it is used.
    fs::remove_file(&file).unwrap();
    assert_eq!(predict(&load(&by_file).unwrap()), expected.1);
}

#[test]
fn computed_vectors_and_vectors_from_a_file_train_the_same_model() {
    check_computed_and_from_file(&elmo(), (3, 12));
}

#[test]
fn published_elmo_fixtures_train_a_model() {
    for name in ["elmo/allennlp", "elmo/bilm-tf"] {
        let Some(folder) = real_data(name) else { return };
        check_computed_and_from_file(&folder, (3, 32));
    }
}

#[test]
fn elmo_layers_are_selected() {
    let trained = run(elmo_config(&elmo(), &["encoder.layers=[1, 2]"]));
    assert_eq!(trained.model.config().model.contextual.layers, 2);
    let encoder = trained.model.encoder().unwrap();
    let words = words(&new());
    let (all, selected) = (open(&elmo()).vectors(&[&words[0]]).unwrap(), encoder.vectors(&[&words[0]]).unwrap());
    let of_layers: Vec<f32> = all[0].chunks_exact(3 * 12).flat_map(|token| &token[12..]).copied().collect();
    assert_eq!(selected[0], of_layers);
    let refused = message(learner(elmo_config(&elmo(), &["encoder.layers=[3]"])));
    assert!(refused.ends_with("encoder.layers: expected layers that the encoder has, found 3 (its last one is 2)"));
}

#[test]
fn parallel_elmo_batches_equal_single_sentences() {
    let model = run(elmo_config(&elmo(), &["train.epochs=1"])).model;
    let sentence = |i: usize| {
        let names = ["Ann", "Bo", "Rome", "Ulm", "of", "in", "sings", "."];
        Sentence::from_tokens("", (0..1 + i % 7).map(|j| names[(i * i + j) % 8]))
    };
    let many: Vec<Sentence> = (0..200).map(sentence).collect();
    let together = model.predict(&many, 3).unwrap();
    let encoder = model.encoder().unwrap();
    let fresh = open(&elmo());
    for (sentence, found) in many.iter().zip(together) {
        let words = words(std::slice::from_ref(sentence));
        assert_eq!(encoder.vectors(&[&words[0]]).unwrap(), fresh.vectors(&[&words[0]]).unwrap());
        let alone = model.predict(std::slice::from_ref(sentence), 1).unwrap().remove(0);
        let spans = |of: &cman_core::model::Prediction| of.entities.iter().map(|e| e.span.clone()).collect::<Vec<_>>();
        assert_eq!(spans(&found), spans(&alone));
    }
}

#[test]
fn a_model_names_its_elmo_and_refuses_another() {
    let (encoder_folder, place) = (elmo_copy(), tempfile::tempdir().unwrap());
    run(elmo_config(encoder_folder.path(), &[])).model.save(place.path(), &()).unwrap();
    let manifest = fs::read_to_string(place.path().join("model.json")).unwrap();
    let hash = Elmo::hash_dir(encoder_folder.path()).unwrap();
    assert!(
        manifest.contains("\"kind\": \"elmo\"") && manifest.contains(&hash) && manifest.contains("\"pooling\": \"\"")
    );
    load(place.path()).unwrap();

    // Another ELMo of the same shape.
    let options = encoder_folder.path().join("options.json");
    let text = fs::read_to_string(&options).unwrap();
    fs::write(&options, text.replace("\"cell_clip\": 0.6", "\"cell_clip\": 0.7")).unwrap();
    let refused = message(load(place.path()));
    let needs =
        format!("model.json: the model needs the encoder '{}' (elmo, hash {hash})", encoder_folder.path().display());
    let found = format!(", found '{}' (elmo, hash ", encoder_folder.path().display());
    assert!(refused.contains(&(needs.clone() + &found)), "{refused}");

    fs::remove_file(encoder_folder.path().join("weights.hdf5")).unwrap();
    let refused = message(load(place.path()));
    let missing = "expected one file whose name ends in 'weights.hdf5', found none";
    assert!(refused.contains(&needs) && refused.ends_with(missing), "{refused}");

    // An encoder of another kind.
    let config = place.path().join("config.toml");
    let text = fs::read_to_string(&config).unwrap().replace("kind = \"elmo\"", "kind = \"bert\"");
    let path = encoder_folder.path().display().to_string();
    fs::write(&config, text.replace(&path, &encoder("bert").display().to_string())).unwrap();
    let refused = message(load(place.path()));
    assert!(refused.contains(&needs) && refused.contains("' (bert, pooled by 'first', hash "), "{refused}");
}

#[test]
fn inconsistent_elmo_files_are_refused_before_training() {
    let folder = elmo_copy();
    let refused = || message(learner(elmo_config(folder.path(), &[])));
    let path = |name: &str| folder.path().join(name);
    let in_file = |name: &str, what: &str| format!("{}: {what}", path(name).display());

    let weights = fs::read(path("weights.hdf5")).unwrap();
    fs::write(path("weights.hdf5"), &weights[..weights.len() / 2]).unwrap();
    let error = refused();
    assert!(error.starts_with(&in_file("weights.hdf5", "")), "{error}");
    fs::write(path("weights.hdf5"), &weights).unwrap();

    let options = fs::read_to_string(path("options.json")).unwrap();
    fs::write(path("options.json"), options.replace("\"dim\": 20", "\"dim\": 21")).unwrap();
    let expected = in_file("options.json", "'lstm.dim': expected 20 as in ") + path("weights.hdf5").to_str().unwrap();
    assert_eq!(refused(), expected + ", found 21");
    fs::write(path("options.json"), &options).unwrap();

    let converted = tempfile::tempdir().unwrap();
    Elmo::convert(&path("options.json"), &path("weights.hdf5"), converted.path()).unwrap();
    let file = converted.path().join("weights.safetensors");
    let bytes = fs::read(&file).unwrap();
    let at = bytes.windows(15).position(|name| name == b"CNN_proj/W_proj").unwrap();
    fs::write(&file, [&bytes[..at], b"CNN_proj/W_pr0j", &bytes[at + 15..]].concat()).unwrap();
    let error = message(learner(elmo_config(converted.path(), &[])));
    assert_eq!(error, format!("{}: there is no tensor 'CNN_proj/W_proj'", file.display()));

    // Folders of another kind of encoder.
    let error = message(learner(elmo_config(&encoder("bert"), &[])));
    assert!(error.ends_with("/bert: expected one file whose name ends in 'options.json', found none"), "{error}");
    let error = message(learner(config(folder.path(), &[])));
    assert_eq!(error, in_file("config.json", "No such file or directory (os error 2)"));
}

#[test]
fn elmo_vectors_from_a_file_belong_to_one_encoder() {
    let (encoder_folder, place) = (elmo_copy(), tempfile::tempdir().unwrap());
    let (file, directory) = (place.path().join("features.safetensors"), place.path().join("model"));
    embed(encoder_folder.path(), &sentences(), &file);
    let refused = message(learner(cache_config(&file, &["encoder.pooling=max"])));
    assert!(refused.ends_with("vectors pooled by 'max' (encoder.pooling), found vectors of whole words"), "{refused}");
    run(cache_config(&file, &[])).model.save(&directory, &()).unwrap();

    // The file is replaced by vectors of a BERT.
    let of_elmo = fs::read(&file).unwrap();
    embed(&encoder("bert"), &sentences(), &file);
    let refused = message(load(&directory));
    assert!(refused.contains("the model needs the encoder '") && refused.contains("' (elmo, hash "), "{refused}");
    assert!(refused.contains("/bert' (bert, pooled by 'first', hash "), "{refused}");

    // The encoder changed after its vectors were written.
    fs::write(&file, of_elmo).unwrap();
    let model = load(&directory).unwrap();
    let options = encoder_folder.path().join("options.json");
    let text = fs::read_to_string(&options).unwrap();
    fs::write(&options, text.replace("\"proj_clip\": 0.4", "\"proj_clip\": 0.5")).unwrap();
    let refused = message(model.predict(&new(), 1));
    assert!(refused.contains("expected the encoder '") && refused.contains("' (elmo, hash "), "{refused}");
    assert_eq!(model.predict(&sentences(), 2).unwrap().len(), sentences().len(), "the file is enough for these");

    // Vectors of an unsupported kind of encoder.
    let reader = ContextualVectorReader::open(&file).unwrap();
    let identity = EncoderIdentity { kind: "gpt".into(), name: "far".into(), ..reader.identity().clone() };
    let all = words(&sentences());
    let other = place.path().join("other.safetensors");
    let mut writer = ContextualVectorWriter::create(&other, &identity, [3, 12], Precision::Single, &all).unwrap();
    for words in &all {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        writer.write(&reader.get(&words).unwrap().unwrap()).unwrap();
    }
    writer.finish().unwrap();
    let model = run(cache_config(&other, &["train.epochs=1"])).model;
    let refused = message(model.predict(&new(), 1));
    assert_eq!(refused, "far: expected an encoder of kind bert or elmo, found kind 'gpt'");
}
