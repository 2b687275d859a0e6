//! Signatures of relations: which entity types a relation type connects.

use std::collections::BTreeMap;

use cman_data::Sentence;
use serde::{Deserialize, Serialize};

/// A relation type with the entity types of its arguments.
///
/// ```
/// let signature = cman_model::Signature::new("Peop", "Live_In", "Loc");
/// assert_eq!(signature.to_string(), "Live_In(Peop, Loc)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Type of the first argument.
    pub head: String,
    /// Relation type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Type of the second argument.
    pub tail: String,
}

/// The signatures of a training corpus, with the number of their relations.
///
/// ```
/// use cman_data::{Entity, Relation, Sentence};
/// use cman_model::{Signature, Signatures};
///
/// let mut sentence = Sentence::from_tokens("1", ["Ann", "lives", "in", "Bonn"]);
/// sentence.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 3..4)];
/// sentence.relations = vec![Relation::new("Live_In", 0, 1)];
/// let signatures = Signatures::of(&[sentence]);
/// assert!(signatures.contains(&Signature::new("Peop", "Live_In", "Loc")));
/// assert!(!signatures.contains(&Signature::new("Loc", "Live_In", "Peop")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Counted>", into = "Vec<Counted>")]
pub struct Signatures {
    counts: BTreeMap<Signature, usize>,
}

/// An entry of the file of signatures.
#[derive(Serialize, Deserialize)]
struct Counted {
    #[serde(flatten)]
    signature: Signature,
    count: usize,
}

impl Signature {
    /// The signature `kind(head, tail)`.
    pub fn new(head: impl Into<String>, kind: impl Into<String>, tail: impl Into<String>) -> Self {
        Self { head: head.into(), kind: kind.into(), tail: tail.into() }
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({}, {})", self.kind, self.head, self.tail)
    }
}

impl Signatures {
    /// The signatures of the relations of these sentences.
    pub fn of(sentences: &[Sentence]) -> Self {
        let mut counts = BTreeMap::new();
        for sentence in sentences {
            for relation in &sentence.relations {
                let [head, tail] = [relation.head, relation.tail].map(|argument| &sentence.entities[argument].kind);
                *counts.entry(Signature::new(head, &relation.kind, tail)).or_default() += 1;
            }
        }
        Self { counts }
    }

    /// Whether a relation with this signature occurs.
    pub fn contains(&self, signature: &Signature) -> bool {
        self.counts.contains_key(signature)
    }

    /// The signatures and how many relations have them, in alphabetical order of the first argument's type.
    pub fn iter(&self) -> impl Iterator<Item = (&Signature, usize)> {
        self.counts.iter().map(|(signature, &count)| (signature, count))
    }
}

impl From<Vec<Counted>> for Signatures {
    fn from(entries: Vec<Counted>) -> Self {
        Self { counts: entries.into_iter().map(|entry| (entry.signature, entry.count)).collect() }
    }
}

impl From<Signatures> for Vec<Counted> {
    fn from(signatures: Signatures) -> Self {
        signatures.counts.into_iter().map(|(signature, count)| Counted { signature, count }).collect()
    }
}
