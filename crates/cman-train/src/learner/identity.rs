//! The identity of a run. Runs of equal identity can resume from each other's checkpoints.

use cman_data::EncoderIdentity;
use cman_model::Config;
use sha2::{Digest, Sha256};

use super::data::EncodedData;
use crate::checksum;

/// SHA-256, in hexadecimal digits, of the settings, the encoder and the training and dev sentences.
pub(super) fn of(config: &Config, encoder: Option<&EncoderIdentity>, data: &EncodedData) -> String {
    let mut identity = Identity(Sha256::new());
    // The encoder is identified by its hash. Its path may change.
    let mut config = config.clone();
    config.encoder.path.clear();
    identity.text(&config.to_toml());
    identity.text(encoder.map_or("", |encoder| &encoder.hash));
    identity.number(data.trained_words);
    for names in [
        data.vocabularies.words.names(),
        data.vocabularies.chars.names(),
        data.schema.entities.names(),
        data.schema.relations.names(),
    ] {
        identity.number(names.len());
        names.iter().for_each(|name| identity.text(name));
    }
    for sentences in [&data.train, &data.dev_encoded] {
        identity.number(sentences.len());
        for sentence in sentences {
            identity.ids(&sentence.words);
            identity.ids(&sentence.tags);
            sentence.chars.iter().for_each(|word| identity.ids(word));
            identity.number(sentence.relations.len());
            sentence
                .relations
                .iter()
                .for_each(|r| [r.head, r.tail, r.kind].into_iter().for_each(|n| identity.number(n)));
        }
    }
    checksum::hexadecimal(&identity.0.finalize())
}

/// A hash of fields. The length of each field is hashed too, so that different lists of fields differ.
struct Identity(Sha256);

impl Identity {
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
}
