//! Checksums of a run's settings and data, for the identity of the run.

use cman_data::{EncoderIdentity, Schema, Sentence};
use cman_model::Config;
use sha2::{Digest, Sha256};

use super::data::{EncodedData, TrainingData};
use crate::{
    checksum,
    identity::{ENCODED, RunIdentity},
    word_vectors::WordVectors,
};

/// The identity of a run.
pub(super) fn of(
    config: &Config,
    encoder: Option<&EncoderIdentity>,
    vectors: Option<&WordVectors>,
    data: TrainingData,
    encoded: &EncodedData,
) -> RunIdentity {
    let mut hash = Hash(Sha256::new());
    hash.encoded(encoded);
    let checksum = |checksum: Option<String>| checksum.map_or_else(|| "none".into(), |checksum| short(&checksum));
    let data = [
        ("training data", sentences(data.train)),
        ("dev data", sentences(data.dev)),
        ("types", types(data.schema)),
        ("word vectors", checksum(vectors.map(WordVectors::checksum))),
        ("encoder", checksum(encoder.map(|encoder| encoder.hash.clone()))),
        (ENCODED, short(&hash.finish())),
    ];
    RunIdentity::new(config, data)
}

/// The identity in checkpoints of format 1: SHA-256, in hexadecimal digits, of the settings, the encoder and the
/// training and dev sentences.
pub(super) fn hash(config: &Config, encoder: Option<&EncoderIdentity>, data: &EncodedData) -> String {
    let mut hash = Hash(Sha256::new());
    // The encoder is identified by its hash. Its path may change.
    let mut config = config.clone();
    config.encoder.path.clear();
    hash.text(&config.to_identity());
    hash.text(encoder.map_or("", |encoder| &encoder.hash));
    hash.encoded(data);
    hash.finish()
}

/// `855 sentences (9f6579dd248822a1)`: their number, and the checksum of their tokens and annotations.
fn sentences(sentences: &[Sentence]) -> String {
    let mut hash = Hash(Sha256::new());
    for sentence in sentences {
        hash.number(sentence.tokens.len());
        sentence.tokens.iter().for_each(|token| hash.text(&token.text));
        hash.number(sentence.entities.len());
        for entity in &sentence.entities {
            hash.text(&entity.kind);
            [entity.start, entity.end].into_iter().for_each(|n| hash.number(n));
        }
        hash.number(sentence.relations.len());
        for relation in &sentence.relations {
            hash.text(&relation.kind);
            [relation.head, relation.tail].into_iter().for_each(|n| hash.number(n));
        }
    }
    format!("{} sentences ({})", sentences.len(), short(&hash.finish()))
}

/// `entities Loc Org, relations Live_In`.
fn types(schema: &Schema) -> String {
    format!("entities {}, relations {}", schema.entities.names().join(" "), schema.relations.names().join(" "))
}

/// The first sixteen digits of a checksum.
fn short(checksum: &str) -> String {
    checksum.chars().take(16).collect()
}

/// A hash of fields. The length of each field is hashed too, so that different lists of fields differ.
struct Hash(Sha256);

impl Hash {
    fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text);
    }

    fn ids(&mut self, ids: &[u32]) {
        self.number(ids.len());
        ids.iter().for_each(|id| self.0.update(id.to_le_bytes()));
    }

    /// The vocabularies, the types and the encoded sentences.
    fn encoded(&mut self, data: &EncodedData) {
        self.number(data.trained_words);
        for names in [
            data.vocabularies.words.names(),
            data.vocabularies.chars.names(),
            data.schema.entities.names(),
            data.schema.relations.names(),
        ] {
            self.number(names.len());
            names.iter().for_each(|name| self.text(name));
        }
        for sentences in [&data.train, &data.dev_encoded] {
            self.number(sentences.len());
            for sentence in sentences {
                self.ids(&sentence.words);
                self.ids(&sentence.tags);
                sentence.chars.iter().for_each(|word| self.ids(word));
                self.number(sentence.relations.len());
                sentence
                    .relations
                    .iter()
                    .for_each(|r| [r.head, r.tail, r.kind].into_iter().for_each(|n| self.number(n)));
            }
        }
    }

    fn finish(self) -> String {
        checksum::hexadecimal(&self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use burn::tensor::Device;
    use cman_data::sample;

    use super::*;
    use crate::{checkpoint::Checkpoints, learner::Learner};

    #[test]
    fn a_checkpoint_of_format_1_is_resumed_if_its_hash_is_that_of_the_run() {
        let (folder, splits) = (tempfile::tempdir().unwrap(), sample::corpus().unwrap());
        let data = TrainingData { schema: &splits.schema, train: &splits.train.sentences[..8], dev: &[] };
        let start = |settings: &[&str]| {
            let small = ["model.hidden=8", "model.character.width=8", "model.relation.hidden=8", "train.epochs=2"];
            let settings: Vec<String> = small.iter().chain(settings).map(ToString::to_string).collect();
            let learner = Learner::new(Config::load(None, &settings).unwrap(), data, None, &Device::flex()).unwrap();
            learner.with_checkpoints(Checkpoints::new(folder.path(), Duration::ZERO), true)
        };
        let mut learner = start(&[]).unwrap();
        learner.epoch(&mut ()).unwrap();
        learner.checkpoint().unwrap();

        let path = folder.path().join("state.json");
        let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        state["format"] = 1.into();
        state["run"] = learner.run.hash.as_str().into();
        fs::write(&path, state.to_string()).unwrap();
        assert_eq!(start(&[]).unwrap().epochs_done(), 1);
        let other = start(&["seed=2"]).err().expect("refused").to_string();
        assert!(other.ends_with("the checkpoint is of a run with another configuration or other data"), "{other}");
    }
}
