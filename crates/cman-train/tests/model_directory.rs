//! A loaded model equals the saved one. A damaged model directory is refused with file and reason.

mod common;

use std::{fs, path::Path};

use burn::tensor::Device;
use cman_data::TokenizerConfig;
use cman_model::Model;
use cman_train::{Learner, TrainingData};
use common::{bits, config, schema, sentences};

fn model(settings: &[&str]) -> Model {
    let (schema, sentences) = (schema(), sentences());
    let data = TrainingData { schema: &schema, train: &sentences, dev: &[] };
    let learner = Learner::new(config(settings), data, None, &Device::flex()).unwrap();
    learner.run(&mut ()).unwrap().model
}

fn load(folder: &Path) -> Result<Model, String> {
    Model::load(folder, &Device::flex()).map_err(|error| error.to_string())
}

#[test]
fn a_loaded_model_equals_the_saved_one() {
    let folder = tempfile::tempdir().unwrap();
    for settings in [&["train.epochs=1"][..], &["train.epochs=1", "model.sequence=mlp", "model.character.kind=cnn"]] {
        let model = model(settings);
        model.save(folder.path(), &"no scores").unwrap();
        let loaded = load(folder.path()).unwrap();
        assert!(bits(loaded.network()) == bits(model.network()));
        assert_eq!((loaded.config(), loaded.schema()), (model.config(), model.schema()));
        let sentences = sentences();
        assert_eq!(loaded.predict(&sentences, 4).unwrap(), model.predict(&sentences, 3).unwrap());
    }
}

#[test]
fn a_model_has_the_tokenizer_of_its_training_data() {
    let tokenizer = |settings: &[&str]| model(&[&["train.epochs=1"], settings].concat()).config().data.tokenizer;
    assert_eq!(tokenizer(&[]), TokenizerConfig::conll04());
    assert_eq!(tokenizer(&["data.tokenizer=characters"]), TokenizerConfig::Characters);
}

#[test]
fn vectors_of_other_words_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = folder.path().join("vectors.txt");
    fs::write(&vectors, "ann 1 2 3\nparis 4 5 6\nnice 7 8 9\n").unwrap();
    let (schema, sentences) = (schema(), sentences());
    let data = TrainingData { schema: &schema, train: &sentences, dev: &[] };
    let learner = Learner::new(config(&["train.epochs=1"]), data, Some(&vectors), &Device::flex()).unwrap();
    let model = learner.run(&mut ()).unwrap().model;
    assert_eq!(model.config().model.word.width, 3);
    let id = |model: &Model, word: &str| model.vocabularies().word_id(word) as usize;
    assert!(id(&model, "Paris") >= model.trained_words() && id(&model, "Ann") < model.trained_words());
    model.save(folder.path(), &()).unwrap();
    let loaded = load(folder.path()).unwrap();
    let table: Vec<f32> = loaded.network().embedding.word.pretrained.as_ref().unwrap().val().try_into_vec_as().unwrap();
    assert_eq!(table, [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    assert!(bits(loaded.network()) == bits(model.network()));
}

#[test]
fn damaged_directories_are_refused_with_file_and_reason() {
    let whole = tempfile::tempdir().unwrap();
    model(&["train.epochs=1"]).save(whole.path(), &()).unwrap();
    let other = tempfile::tempdir().unwrap();
    model(&["train.epochs=1", "model.hidden=4"]).save(other.path(), &()).unwrap();

    type Damage<'a> = Box<dyn Fn(&Path) + 'a>;
    let remove = |name: &'static str| -> Damage { Box::new(move |dir| fs::remove_file(dir.join(name)).unwrap()) };
    let truncate = |name: &'static str| -> Damage {
        Box::new(move |dir| {
            let bytes = fs::read(dir.join(name)).unwrap();
            fs::write(dir.join(name), &bytes[..bytes.len() / 2]).unwrap();
        })
    };
    let replace = |name: &'static str, from: &'static str, to: &'static str| -> Damage {
        Box::new(move |dir| {
            let text = fs::read_to_string(dir.join(name)).unwrap();
            assert!(text.contains(from), "{name}: {text}");
            fs::write(dir.join(name), text.replace(from, to)).unwrap();
        })
    };
    let swap = |name: &'static str| -> Damage {
        let other = other.path().join(name);
        Box::new(move |dir| _ = fs::copy(&other, dir.join(name)).unwrap())
    };
    let cases: Vec<(Damage, &str, &str)> = vec![
        (remove("model.json"), "model.json", "No such file"),
        (remove("config.toml"), "config.toml", "No such file"),
        (remove("labels.json"), "labels.json", "No such file"),
        (remove("vocabularies.json"), "vocabularies.json", "No such file"),
        (remove("model.safetensors"), "model.safetensors", "No such file"),
        (truncate("model.json"), "model.json", "EOF"),
        (truncate("labels.json"), "labels.json", "EOF"),
        (truncate("vocabularies.json"), "vocabularies.json", "EOF"),
        (truncate("model.safetensors"), "model.safetensors", "file not fully covered"),
        (
            replace("model.json", "\"format\": 1", "\"format\": 2"),
            "model.json",
            "format 2, this library reads format 1",
        ),
        (
            replace("labels.json", "\"Loc\"", "\"Loc\", \"Org\""),
            "labels.json",
            "3 entity types, expected 2 as in model.json",
        ),
        (
            replace("model.json", "\"trained_words\": 1", "\"trained_words\": 99"),
            "model.json",
            "trained words, expected 2 to",
        ),
        (replace("config.toml", "hidden = 8", "hidden = 16"), "model.safetensors", "do not fit the configuration"),
        (
            replace("config.toml", "kind = \"attention\"", "kind = \"none\""),
            "model.safetensors",
            "which are not part of the configured network",
        ),
        (swap("model.safetensors"), "model.safetensors", "do not fit the configuration"),
        (replace("config.toml", "heads = 8", "heads = 3"), "model.heads", "expected a divisor of"),
        (
            Box::new(|dir| fs::write(dir.join("model.safetensors"), vec![0xff; 4096]).unwrap()),
            "model.safetensors",
            "do not fit the configuration",
        ),
    ];
    for (damage, file, reason) in cases {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(whole.path()).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        damage(folder.path());
        let message = load(folder.path()).err().unwrap_or_else(|| panic!("{file} {reason}: loaded without an error"));
        assert!(message.contains(file) && message.contains(reason), "{message:?} for {file} {reason}");
    }
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(&["train.epochs=1"]);
    let mut network = model.network().clone();
    network.relation.iter_mut().for_each(|scorer| scorer.v = scorer.v.clone().map(|v| v * f32::NAN));
    model.with_network(network).save(folder.path(), &()).unwrap();
    let message = load(folder.path()).unwrap_err();
    assert!(message.ends_with("model.safetensors: the weights of 'relation.v' are not finite"), "{message}");
}

#[test]
fn special_entries_of_a_vector_file_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = folder.path().join("vectors.txt");
    fs::write(&vectors, "paris 4 5 6\n<pad> 0 0 0\n<PAD> 9 9 9\nnice 7 8 9\n").unwrap();
    let (schema, sentences) = (schema(), sentences());
    let data = TrainingData { schema: &schema, train: &sentences, dev: &[] };
    let learner = Learner::new(config(&["train.epochs=1"]), data, Some(&vectors), &Device::flex()).unwrap();
    let model = learner.run(&mut ()).unwrap().model;
    let table: Vec<f32> = model.network().embedding.word.pretrained.as_ref().unwrap().val().try_into_vec_as().unwrap();
    let row = |word: &str| &table[3 * (model.vocabularies().word_id(word) as usize - model.trained_words())..][..3];
    assert_eq!((row("paris"), row("nice")), (&[4.0, 5.0, 6.0][..], &[7.0, 8.0, 9.0][..]));
    model.save(folder.path(), &()).unwrap();
    load(folder.path()).unwrap();
}
