//! Corpus statistics.

use std::fmt;

use serde::Serialize;

use crate::{
    bio::{self, Span},
    encode::Unrepresentable,
    labels::LabelSet,
    sentence::Sentence,
    validate::first_overlap,
};

/// Counts over the sentences of a corpus.
///
/// ```
/// use cman_data::{Entity, Relation, Sentence, Statistics};
///
/// let mut sentence = Sentence::from_tokens("1", ["Ann", "lives", "in", "Bonn"]);
/// sentence.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 3..4)];
/// sentence.relations = vec![Relation::new("Live_In", 0, 1)];
/// let statistics = Statistics::of(&[sentence]);
/// assert_eq!((statistics.tokens, statistics.entities, statistics.relations), (4, 2, 1));
/// assert_eq!(statistics.entity_types[1].name, "Loc");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Number of sentences.
    pub sentences: usize,
    /// Number of tokens.
    pub tokens: usize,
    /// Tokens per sentence.
    pub sentence_lengths: Lengths,
    /// Number of entities.
    pub entities: usize,
    /// Entities per type, in order of first appearance.
    pub entity_types: Vec<TypeCount>,
    /// Tokens per entity.
    pub entity_lengths: Lengths,
    /// Number of relations.
    pub relations: usize,
    /// Relations per type, in order of first appearance.
    pub relation_types: Vec<TypeCount>,
    /// Sentences without a relation.
    pub sentences_without_relations: usize,
    /// Sentences in which two entities share a token.
    pub overlapping_sentences: usize,
    /// Sentences with a relation whose two arguments share a token.
    pub overlapping_argument_sentences: usize,
    /// Relations whose two arguments share a token.
    pub overlapping_argument_relations: usize,
    /// Sentences in which two entities have the same last token.
    pub shared_last_token_sentences: usize,
    /// Entities and relations that one BIO tag sequence per sentence cannot represent.
    pub unrepresentable: Unrepresentable,
}

/// The frequency of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeCount {
    /// The type.
    pub name: String,
    /// The number of occurrences.
    pub count: usize,
}

/// The distribution of lengths; all zero if there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Lengths {
    /// The minimum.
    pub min: usize,
    /// The mean.
    pub mean: f64,
    /// The median; for an even number of lengths, the mean of the two middle ones.
    pub median: f64,
    /// The maximum.
    pub max: usize,
}

impl Statistics {
    /// Computes the statistics of a [`Corpus`](crate::Corpus) or of any sentences.
    ///
    /// # Panics
    /// If an entity extends past its sentence or a relation refers to an entity that does not exist. No reader returns
    /// such sentences.
    pub fn of<'a>(sentences: impl IntoIterator<Item = &'a Sentence>) -> Self {
        let mut statistics = Self::default();
        let (mut sentence_lengths, mut entity_lengths) = (Vec::new(), Vec::new());
        let (mut entity_types, mut relation_types) = (Counts::default(), Counts::default());
        for sentence in sentences {
            sentence_lengths.push(sentence.len());
            entity_lengths.extend(sentence.entities.iter().map(|entity| entity.span().len()));
            sentence.entities.iter().for_each(|entity| entity_types.add(&entity.kind));
            sentence.relations.iter().for_each(|relation| relation_types.add(&relation.kind));
            statistics.add_overlaps(sentence, &entity_types.names);
        }
        statistics.sentences = sentence_lengths.len();
        statistics.tokens = sentence_lengths.iter().sum();
        statistics.entities = entity_lengths.len();
        statistics.relations = relation_types.counts.iter().sum();
        statistics.sentence_lengths = Lengths::of(sentence_lengths);
        statistics.entity_lengths = Lengths::of(entity_lengths);
        statistics.entity_types = entity_types.finish();
        statistics.relation_types = relation_types.finish();
        statistics
    }

    fn add_overlaps(&mut self, sentence: &Sentence, types: &LabelSet) {
        let entities = &sentence.entities;
        let spans: Vec<Span> = entities
            .iter()
            .map(|entity| Span {
                start: entity.start,
                end: entity.end,
                kind: types.id(&entity.kind).expect("a counted type"),
            })
            .collect();
        let (_, written) = bio::encode(&spans, sentence.len());
        let relations = &sentence.relations;
        let overlapping =
            relations.iter().filter(|relation| entities[relation.head].overlaps(&entities[relation.tail])).count();
        let lost = relations.iter().filter(|relation| !written[relation.head] || !written[relation.tail]).count();
        let mut ends: Vec<usize> = entities.iter().map(|entity| entity.end).collect();
        ends.sort_unstable();
        self.sentences_without_relations += usize::from(relations.is_empty());
        self.overlapping_sentences += usize::from(first_overlap(sentence).is_some());
        self.overlapping_argument_sentences += usize::from(overlapping > 0);
        self.overlapping_argument_relations += overlapping;
        self.shared_last_token_sentences += usize::from(ends.windows(2).any(|pair| pair[0] == pair[1]));
        self.unrepresentable.entities += written.iter().filter(|&&written| !written).count();
        self.unrepresentable.relations += lost;
    }
}

#[derive(Default)]
struct Counts {
    names: LabelSet,
    counts: Vec<usize>,
}

impl Counts {
    fn add(&mut self, name: &str) {
        let id = self.names.id(name).unwrap_or_else(|| self.names.insert(name));
        self.counts.resize(self.names.len(), 0);
        self.counts[id] += 1;
    }

    fn finish(self) -> Vec<TypeCount> {
        Vec::from(self.names).into_iter().zip(self.counts).map(|(name, count)| TypeCount { name, count }).collect()
    }
}

impl Lengths {
    fn of(mut lengths: Vec<usize>) -> Self {
        lengths.sort_unstable();
        let n = lengths.len();
        let (Some(&min), Some(&max)) = (lengths.first(), lengths.last()) else { return Self::default() };
        Self {
            min,
            mean: lengths.iter().sum::<usize>() as f64 / n as f64,
            median: (lengths[(n - 1) / 2] + lengths[n / 2]) as f64 / 2.0,
            max,
        }
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mean {:.1}, median {}, from {} to {}", self.mean, self.median, self.min, self.max)
    }
}

impl fmt::Display for Statistics {
    /// Writes a table with one line per count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = |lengths: &Lengths, count: usize| if count > 0 { format!("  {lengths}") } else { String::new() };
        let mut rows = vec![
            ("sentences".to_owned(), self.sentences, String::new()),
            ("  without relations".to_owned(), self.sentences_without_relations, String::new()),
            ("tokens".to_owned(), self.tokens, lengths(&self.sentence_lengths, self.sentences)),
            ("entities".to_owned(), self.entities, lengths(&self.entity_lengths, self.entities)),
        ];
        let types =
            |types: &[TypeCount]| types.iter().map(|t| (format!("  {}", t.name), t.count, String::new())).collect();
        rows.append(&mut types(&self.entity_types));
        rows.push(("relations".into(), self.relations, String::new()));
        rows.append(&mut types(&self.relation_types));
        for (name, count) in [
            ("sentences with overlapping entities", self.overlapping_sentences),
            ("sentences with overlapping arguments", self.overlapping_argument_sentences),
            ("relations with overlapping arguments", self.overlapping_argument_relations),
            ("sentences with a shared last token", self.shared_last_token_sentences),
            ("entities not representable in BIO", self.unrepresentable.entities),
            ("relations not representable in BIO", self.unrepresentable.relations),
        ] {
            rows.push((name.into(), count, String::new()));
        }
        let width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or_default();
        let digits = rows.iter().map(|(_, count, _)| count.to_string().len()).max().unwrap_or_default();
        for (i, (name, count, note)) in rows.iter().enumerate() {
            let end = if i + 1 < rows.len() { "\n" } else { "" };
            write!(f, "{name:width$}  {count:>digits$}{note}{end}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentence::{Entity, Relation};

    #[test]
    fn all_statistics_are_counted() {
        let mut nested = Sentence::from_tokens("1", ["a", "b", "c", "d"]);
        nested.entities = vec![Entity::new("X", 0..3), Entity::new("Y", 2..3), Entity::new("Y", 3..4)];
        nested.relations = vec![Relation::new("R", 0, 1), Relation::new("S", 1, 2), Relation::new("S", 0, 2)];
        let plain = Sentence::from_tokens("2", ["a", "b"]);
        let statistics = Statistics::of([&nested, &plain, &plain]);
        assert_eq!((statistics.sentences, statistics.tokens), (3, 8));
        assert_eq!(statistics.sentence_lengths, Lengths { min: 2, mean: 8.0 / 3.0, median: 2.0, max: 4 });
        assert_eq!((statistics.entities, statistics.relations), (3, 3));
        let counts: Vec<_> = statistics.entity_types.iter().map(|t| (t.name.as_str(), t.count)).collect();
        assert_eq!(counts, [("X", 1), ("Y", 2)]);
        assert_eq!((statistics.overlapping_argument_sentences, statistics.overlapping_argument_relations), (1, 1));
        assert_eq!((statistics.overlapping_sentences, statistics.shared_last_token_sentences), (1, 1));
        assert_eq!(statistics.unrepresentable, Unrepresentable { entities: 1, relations: 2 });
        assert_eq!(
            statistics.to_string(),
            "\
sentences                             3
  without relations                   2
tokens                                8  mean 2.7, median 2, from 2 to 4
entities                              3  mean 1.7, median 1, from 1 to 3
  X                                   1
  Y                                   2
relations                             3
  R                                   1
  S                                   2
sentences with overlapping entities   1
sentences with overlapping arguments  1
relations with overlapping arguments  1
sentences with a shared last token    1
entities not representable in BIO     1
relations not representable in BIO    2"
        );
    }

    #[test]
    fn an_empty_corpus_has_only_zeros() {
        let statistics = Statistics::of(&[]);
        assert_eq!(statistics, Statistics::default());
        assert!(statistics.to_string().starts_with("sentences                             0\n"));
        assert_eq!(Lengths::of(vec![4, 1]).median, 2.5);
    }
}
