//! A small task and a small model for tests.
#![allow(dead_code)] // no test binary uses all of it

use std::path::{Path, PathBuf};

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};
use cman_data::{Entity, Relation, Schema, Sentence};
use cman_model::Config;

/// Types of the task.
pub fn schema() -> Schema {
    Schema { entities: ["Peop", "Loc"].into_iter().collect(), relations: ["Live_In"].into_iter().collect() }
}

/// Sentences of a person and a place, in which the person lives at the place.
pub fn sentences() -> Vec<Sentence> {
    let (people, places) = (["Ann", "Bo", "Cy", "Dee"], ["Rome", "Oslo", "Lima"]);
    let mut sentences = Vec::new();
    for (i, person) in people.iter().enumerate() {
        for (j, place) in places.iter().enumerate() {
            let id = format!("{i}-{j}");
            let mut sentence = if (i + j) % 2 == 0 {
                Sentence::from_tokens(id, [person, "lives", "in", "lovely", place, "."])
            } else {
                Sentence::from_tokens(id, [person, "of", place, "sings"])
            };
            let place_at = if (i + j) % 2 == 0 { 4 } else { 2 };
            sentence.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", place_at..place_at + 1)];
            sentence.relations = vec![Relation::new("Live_In", 0, 1)];
            sentences.push(sentence);
        }
    }
    sentences
}

/// Small widths and batches; all other settings are those of the paper.
pub fn config(settings: &[&str]) -> Config {
    let small = [
        "model.hidden=8",
        "model.word.width=8",
        "model.character.width=6",
        "model.character.embedding=4",
        "model.relation.hidden=8",
        "model.label.width=4",
        "train.batch_size=4",
        "train.epochs=4",
        "train.learning_rate=0.01",
    ];
    let all: Vec<String> = small.iter().chain(settings).map(ToString::to_string).collect();
    Config::load(None, &all).expect("valid settings")
}

/// The bits of every weight.
pub fn bits(network: &impl Module) -> Vec<u32> {
    struct Bits(Vec<u32>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values: Vec<f32> = param.val().try_into_vec_as().expect("f32 values");
            self.0.extend(values.iter().map(|x| x.to_bits()));
        }
    }
    let mut bits = Bits(Vec::new());
    network.visit(&mut bits);
    bits.0
}

/// The folder of a tiny random encoder: `bert`, `distilbert` or `roberta`.
pub fn encoder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cman-encoder/tests/bert").join(name)
}

/// A copy of it.
pub fn encoder_copy(name: &str) -> tempfile::TempDir {
    copy(&encoder(name), &["config.json", "tokenizer.json", "model.safetensors"])
}

/// The folder of a tiny random ELMo.
pub fn elmo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cman-encoder/tests/elmo")
}

/// A copy of it.
pub fn elmo_copy() -> tempfile::TempDir {
    copy(&elmo(), &["options.json", "weights.hdf5"])
}

fn copy(from: &Path, files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    folder
}
