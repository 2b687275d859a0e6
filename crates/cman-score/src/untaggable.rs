//! Gold annotation that no sequence of BIO tags can hold.

use std::{collections::BTreeSet, fmt};

use cman_data::{Schema, Sentence};
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, Pair, Typed, typed};
use crate::multihead::tag;

/// How much of the gold annotation a BIO tagger cannot predict, because entities share tokens. Every scorer counts
/// it as missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untaggable {
    /// Number of sentences with such an entity.
    pub sentences: usize,
    /// Number of entities.
    pub entities: usize,
    /// Number of relations that have such an entity as an argument.
    pub relations: usize,
}

impl fmt::Display for Untaggable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sentences, entities, relations } = self;
        write!(
            f,
            "{entities} entities and {relations} relations in {sentences} sentences overlap and cannot be predicted"
        )
    }
}

/// Counts the distinct entities that [`encode`](cman_data::encode) leaves out, and the relations that go with them.
///
/// # Panics
/// If an entity is empty or leaves its sentence, or an argument is no entity.
pub fn untaggable(gold: &[Sentence], schema: &Schema) -> Untaggable {
    let mut sum = Untaggable::default();
    for sentence in gold {
        let (_, written, _) = tag(sentence, schema);
        let entities = sentence.entities.iter().zip(written);
        let kept: BTreeSet<Typed> = entities.filter(|(_, written)| *written).map(|(e, _)| typed(e)).collect();
        let facts = Facts::of(sentence);
        let lost = facts.entities.difference(&kept).count();
        sum.sentences += usize::from(lost > 0);
        sum.entities += lost;
        let reachable = |(_, (head, tail)): &&Pair<Typed>| kept.contains(head) && kept.contains(tail);
        sum.relations += facts.relations.iter().filter(|pair| !reachable(pair)).count();
    }
    sum
}
