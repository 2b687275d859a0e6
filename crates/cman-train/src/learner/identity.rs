//! The identity of a run: equal for runs that may go on from each other's checkpoints.

use sha2::{Digest, Sha256};

use super::Learner;

/// SHA-256, in hexadecimal digits, of the settings, the encoder and the sentences that a run learns from and chooses
/// the epoch by.
pub(super) fn of(learner: &Learner) -> String {
    let mut identity = Identity(Sha256::new());
    // Where the encoder lies may change; what it is says the hash.
    let mut config = learner.config.clone();
    config.encoder.path.clear();
    identity.text(&config.to_toml());
    identity.text(learner.encoder.as_ref().map_or("", |input| &input.encoder.identity().hash));
    identity.number(learner.trained_words);
    for names in [
        learner.vocabularies.words.names(),
        learner.vocabularies.chars.names(),
        learner.schema.entities.names(),
        learner.schema.relations.names(),
    ] {
        identity.number(names.len());
        names.iter().for_each(|name| identity.text(name));
    }
    for sentences in [&learner.train, &learner.dev_encoded] {
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
    identity.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash of parts, each with its length, so that no two lists of parts run into one.
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
