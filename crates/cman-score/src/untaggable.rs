//! Gold annotation that one BIO tag sequence cannot represent.

use std::{collections::BTreeSet, fmt};

use cman_data::{Schema, Sentence};
use serde::{Deserialize, Serialize};

use crate::annotation::{AnnotationSets, Pair, TypedSpan, typed_span};
use crate::multihead::bio_tags;

/// Gold annotation that a BIO tagger cannot predict because entities share tokens. All scorers count it as false
/// negatives.
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

/// Counts the distinct entities that [`encode`](cman_data::encode) leaves out, and their relations.
///
/// # Panics
/// If an entity is empty or extends past its sentence, or if an argument is not an entity.
pub fn untaggable(gold: &[Sentence], schema: &Schema) -> Untaggable {
    let mut sum = Untaggable::default();
    for sentence in gold {
        let (_, written, _) = bio_tags(sentence, schema);
        let entities = sentence.entities.iter().zip(written);
        let kept: BTreeSet<TypedSpan> = entities.filter(|(_, written)| *written).map(|(e, _)| typed_span(e)).collect();
        let gold = AnnotationSets::of(sentence);
        let lost = gold.entities.difference(&kept).count();
        sum.sentences += usize::from(lost > 0);
        sum.entities += lost;
        let reachable = |(_, (head, tail)): &&Pair<TypedSpan>| kept.contains(head) && kept.contains(tail);
        sum.relations += gold.relations.iter().filter(|pair| !reachable(pair)).count();
    }
    sum
}
