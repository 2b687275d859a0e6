//! A model directory one of whose files is spoilt: the first byte says which, the second how, the rest with what.
#![no_main]

use std::{fs, sync::LazyLock};

use burn::tensor::Device;
use cman_core::{DeviceKind, Cman, model::Sizes};
use cman_data::{Entity, LabelSet, Relation, Schema, Sentence, Vocabularies};
use cman_model::{Config, Model};
use libfuzzer_sys::fuzz_target;

const FILES: [&str; 5] = ["model.json", "config.toml", "labels.json", "vocabularies.json", "model.safetensors"];

/// A folder with a sound model, and the content of its files.
struct Sound {
    folder: tempfile::TempDir,
    files: [Vec<u8>; 5],
    device: Device,
    sentences: Vec<Sentence>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
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
    let config = Config::load(None, &small.map(String::from)).expect("sound settings");
    let schema = Schema {
        entities: LabelSet::from_iter(["Peop", "Loc"]),
        relations: LabelSet::from_iter(["Live_In"]),
    };
    let vocabularies = Vocabularies::build(&sentences, true);
    let trained_words = vocabularies.words.len();
    let sizes = Sizes { words: trained_words, characters: vocabularies.chars.len(), entities: 2, relations: 1 };
    let network = Cman::new(&config.model, sizes, 1, &device).expect("a network");
    let folder = tempfile::tempdir().expect("a folder");
    let model = Model::new(config, schema, vocabularies, network, None, trained_words);
    model.save(folder.path(), &()).expect("a model directory");
    let files = FILES.map(|name| fs::read(folder.path().join(name)).expect("a file"));
    Sound { folder, files, device, sentences }
});

/// The file's content: other bytes, the sound ones with some changed, or some of them and others behind.
fn spoilt(sound: &[u8], how: u8, with: &[u8]) -> Vec<u8> {
    let place = |pair: &[u8]| usize::from(u16::from_le_bytes([pair[0], pair[1]])) % sound.len();
    match how % 3 {
        0 => with.to_vec(),
        1 => {
            let mut bytes = sound.to_vec();
            with.chunks_exact(3).for_each(|patch| bytes[place(patch)] = patch[2]);
            bytes
        }
        _ if with.len() < 2 => Vec::new(),
        _ => [&sound[..place(with)], &with[2..]].concat(),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let &[which, how, ref with @ ..] = bytes else { return };
    let sound = &*SOUND;
    let which = usize::from(which) % FILES.len();
    let path = sound.folder.path().join(FILES[which]);
    fs::write(&path, spoilt(&sound.files[which], how, with)).expect("a file");
    if let Ok(model) = Model::load(sound.folder.path(), &sound.device) {
        model.predict(&sound.sentences, 1).expect("a model that was loaded predicts");
    }
    fs::write(&path, &sound.files[which]).expect("a file");
});
