//! A model directory with one corrupted file. The first byte selects the file, the second the method, the rest is data.
#![no_main]

use std::{fs, sync::LazyLock};

use burn::tensor::Device;
use cman_core::{Cman, DeviceKind, model::Sizes};
use cman_data::{Entity, LabelSet, Relation, Schema, Sentence, Vocabularies};
use cman_model::{Config, Model};
use libfuzzer_sys::fuzz_target;

const FILES: [&str; 5] = ["model.json", "config.toml", "labels.json", "vocabularies.json", "model.safetensors"];

/// A folder with a valid model, and the content of its files.
struct Valid {
    folder: tempfile::TempDir,
    files: [Vec<u8>; 5],
    device: Device,
    sentences: Vec<Sentence>,
}

static VALID: LazyLock<Valid> = LazyLock::new(|| {
    let device = DeviceKind::Flex.device().expect("compiled in");
    let mut sentence = Sentence::from_tokens("1", ["Ann", "left", "Rome"]);
    sentence.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 2..3)];
    sentence.relations = vec![Relation::new("Live_In", 0, 1)];
    let sentences = vec![sentence];
    let small = [
        "model.hidden=2",
        "model.heads=2",
        "model.layers=1",
        "model.word.width=2",
        "model.character.width=2",
        "model.character.embedding=2",
        "model.label.width=2",
        "model.relation.hidden=2",
    ];
    let config = Config::load(None, &small.map(String::from)).expect("valid settings");
    let schema = Schema { entities: LabelSet::from_iter(["Peop", "Loc"]), relations: LabelSet::from_iter(["Live_In"]) };
    let vocabularies = Vocabularies::build(&sentences, true);
    let trained_words = vocabularies.words.len();
    let sizes = Sizes { words: trained_words, characters: vocabularies.chars.len(), entities: 2, relations: 1 };
    let network = Cman::new(&config.model, sizes, 1, &device).expect("a network");
    let folder = tempfile::tempdir().expect("a folder");
    let model = Model::new(config, schema, vocabularies, network, None, trained_words);
    model.save(folder.path(), &()).expect("a model directory");
    let files = FILES.map(|name| fs::read(folder.path().join(name)).expect("a file"));
    Valid { folder, files, device, sentences }
});

/// Corrupts the content of a file: replaces all bytes, changes some bytes, or replaces the end.
fn corrupt(valid: &[u8], method: u8, data: &[u8]) -> Vec<u8> {
    let position = |pair: &[u8]| usize::from(u16::from_le_bytes([pair[0], pair[1]])) % valid.len();
    match method % 3 {
        0 => data.to_vec(),
        1 => {
            let mut bytes = valid.to_vec();
            data.chunks_exact(3).for_each(|patch| bytes[position(patch)] = patch[2]);
            bytes
        }
        _ if data.len() < 2 => Vec::new(),
        _ => [&valid[..position(data)], &data[2..]].concat(),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let &[which, method, ref data @ ..] = bytes else { return };
    let valid = &*VALID;
    let file = usize::from(which) % FILES.len();
    let path = valid.folder.path().join(FILES[file]);
    fs::write(&path, corrupt(&valid.files[file], method, data)).expect("a file");
    if let Ok(model) = Model::load(valid.folder.path(), &valid.device) {
        model.predict(&valid.sentences, 1).expect("a loaded model predicts");
    }
    fs::write(&path, &valid.files[file]).expect("a file");
});
