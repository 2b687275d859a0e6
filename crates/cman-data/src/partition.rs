//! Divides a corpus into parts: train, dev and test, or folds.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use sha2::{Digest, Sha256};

use crate::sentence::Sentence;

/// The parts of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The sentences of each part, as indices in increasing order.
    pub parts: Vec<Vec<usize>>,
    /// Number of groups of sentences that stay together.
    pub groups: usize,
    /// Sentences with the tokens of an earlier one. They are in its part.
    pub repeated: usize,
}

/// Divides sentences into parts whose sizes are proportional to `weights`.
///
/// Sentences of one document, and sentences with the same tokens, are in one part, so no part has seen a sentence of
/// another. `document` gives the document of a sentence, or `None` if it stands alone. Relation types, sentences without
/// relations and entity types are divided in proportion as well, rare relation types first. This is the iterative
/// stratification of Sechidis, Tsoumakas and Vlahavas (2011) over groups of sentences, but a group goes to the part that
/// lacks most of all that the group has, not of its rarest label alone: sentences have several relations.
///
/// The parts depend on the sentences and the seed, not on the order of the sentences.
///
/// ```
/// use cman_data::{Sentence, partition};
///
/// let sentences: Vec<_> = (0..10).map(|i| Sentence::from_tokens(i, [format!("w{i}")])).collect();
/// let parts = partition(&sentences, &[8.0, 1.0, 1.0], 1, |_| None).parts;
/// assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [8, 1, 1]);
/// ```
///
/// # Panics
/// If there is no weight, if one is negative or not finite, or if all are zero.
pub fn partition<'a>(
    sentences: &'a [Sentence],
    weights: &[f64],
    seed: u64,
    document: impl Fn(&'a Sentence) -> Option<&'a str>,
) -> Partition {
    let total: f64 = weights.iter().sum();
    assert!(weights.iter().all(|&weight| weight >= 0.0) && total > 0.0 && total.is_finite(), "invalid weights");
    let (groups, repeated) = groups(sentences, document);
    let groups = shuffled(groups, sentences, seed);
    let shares: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
    let mut parts = vec![Vec::new(); weights.len()];
    for (group, part) in groups.iter().zip(stratify(&groups, &shares)) {
        parts[part].extend(&group.sentences);
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    Partition { parts, groups: groups.len(), repeated }
}

/// Sentences that stay together.
struct Group<'a> {
    sentences: Vec<usize>,
    labels: BTreeMap<Label<'a>, usize>,
}

/// What is divided in proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label<'a> {
    Relation(&'a str),
    WithoutRelation,
    Entity(&'a str),
}

fn labels(sentence: &Sentence) -> impl Iterator<Item = Label<'_>> {
    let relations = sentence.relations.iter().map(|relation| Label::Relation(&relation.kind));
    let without = sentence.relations.is_empty().then_some(Label::WithoutRelation);
    relations.chain(without).chain(sentence.entities.iter().map(|entity| Label::Entity(&entity.kind)))
}

/// The groups in order of their first sentence, and the number of repeated sentences.
fn groups<'a>(
    sentences: &'a [Sentence],
    document: impl Fn(&'a Sentence) -> Option<&'a str>,
) -> (Vec<Group<'a>>, usize) {
    let mut links = Links((0..sentences.len()).collect());
    let (mut same_tokens, mut same_document) = (HashMap::new(), HashMap::new());
    let mut repeated = 0;
    for (i, sentence) in sentences.iter().enumerate() {
        let words: Vec<&str> = sentence.words().collect();
        if let Some(&first) = same_tokens.get(&words) {
            links.join(first, i);
            repeated += 1;
        } else {
            same_tokens.insert(words, i);
        }
        if let Some(name) = document(sentence) {
            links.join(*same_document.entry(name).or_insert(i), i);
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (i, sentence) in sentences.iter().enumerate() {
        let group = groups.entry(links.first(i));
        let group = group.or_insert_with(|| Group { sentences: Vec::new(), labels: BTreeMap::new() });
        group.sentences.push(i);
        labels(sentence).for_each(|label| *group.labels.entry(label).or_default() += 1);
    }
    (groups.into_values().collect(), repeated)
}

/// For every sentence an earlier one of its group, or itself if it is the first.
struct Links(Vec<usize>);

impl Links {
    fn first(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// The groups in an order that depends on their tokens and the seed.
fn shuffled<'a>(groups: Vec<Group<'a>>, sentences: &[Sentence], seed: u64) -> Vec<Group<'a>> {
    let key = |i: usize| -> [u8; 32] {
        let mut hash = Sha256::new().chain_update(seed.to_le_bytes());
        for word in sentences[i].words() {
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word);
        }
        hash.finalize().into()
    };
    let mut keyed: Vec<_> =
        groups.into_iter().map(|group| (group.sentences.iter().map(|&i| key(i)).min(), group)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, group)| group).collect()
}

/// The part of every group: groups with the rarest relation type first, each to the part that lacks most of what it has.
fn stratify(groups: &[Group], shares: &[f64]) -> Vec<usize> {
    let mut left: BTreeMap<Label, usize> = BTreeMap::new();
    for (&label, count) in groups.iter().flat_map(|group| &group.labels) {
        *left.entry(label).or_default() += count;
    }
    let mut lacks: BTreeMap<Label, Lack> =
        left.iter().map(|(&label, &total)| (label, Lack::new(total, shares))).collect();
    let mut sentences = Lack::new(groups.iter().map(|group| group.sentences.len()).sum(), shares);

    let mut parts = vec![None; groups.len()];
    while let Some((&label, _)) =
        left.iter().filter(|&(_, &count)| count > 0).min_by_key(|&(label, &count)| (label.class(), count))
    {
        let mut with: Vec<usize> =
            (0..groups.len()).filter(|&i| parts[i].is_none() && groups[i].labels.contains_key(&label)).collect();
        with.sort_by_key(|&i| Reverse(groups[i].labels[&label]));
        for i in with {
            let Group { sentences: members, labels } = &groups[i];
            let lack = |part: usize| {
                let of_labels = labels.iter().map(|(label, &n)| label.weight() * lacks[label].of(part, n));
                of_labels.sum::<f64>() + sentences.of(part, members.len())
            };
            let most = |a: (usize, f64), b: (usize, f64)| if b.1 > a.1 { b } else { a };
            let possible = (0..shares.len()).filter(|&part| shares[part] > 0.0).map(|part| (part, lack(part)));
            let (part, _) = possible.reduce(most).expect("a positive share");
            parts[i] = Some(part);
            sentences.take(part, members.len());
            for (label, &n) in labels {
                lacks.get_mut(label).expect("a counted label").take(part, n);
                *left.get_mut(label).expect("a counted label") -= n;
            }
        }
    }
    parts.into_iter().map(|part| part.expect("every sentence has a label")).collect()
}

impl Label<'_> {
    /// Relations come before sentences without relations, and entities last.
    fn class(self) -> usize {
        match self {
            Self::Relation(_) => 0,
            Self::WithoutRelation => 1,
            Self::Entity(_) => 2,
        }
    }

    /// Entities are frequent and follow the sentences by themselves, so they only break ties.
    fn weight(self) -> f64 {
        if let Self::Entity(_) = self { 0.3 } else { 1.0 }
    }
}

/// How much of one label each part still lacks.
struct Lack {
    total: f64,
    wanted: Vec<f64>,
    missing: Vec<f64>,
}

impl Lack {
    fn new(total: usize, shares: &[f64]) -> Self {
        let total = total as f64;
        let wanted: Vec<f64> = shares.iter().map(|share| share * total).collect();
        Self { total, missing: wanted.clone(), wanted }
    }

    /// The share of what the part wanted that it lacks, for `n` of them: rare labels count more.
    fn of(&self, part: usize, n: usize) -> f64 {
        n as f64 / self.total * self.missing[part] / self.wanted[part]
    }

    fn take(&mut self, part: usize, n: usize) {
        self.missing[part] -= n as f64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sentence::{Entity, Relation};

    /// A sentence of one word, with relations of these types.
    fn sentence(id: &str, word: &str, relations: &[&str]) -> Sentence {
        let mut sentence = Sentence::from_tokens(id, [word, "x"]);
        sentence.entities = vec![Entity::new("A", 0..1), Entity::new("B", 1..2)];
        sentence.relations = relations.iter().map(|&kind| Relation::new(kind, 0, 1)).collect();
        sentence
    }

    fn document(sentence: &Sentence) -> Option<&str> {
        sentence.id.as_str().rsplit_once('.').map(|(document, _)| document)
    }

    #[test]
    fn rare_types_are_in_every_part() {
        let kinds = |i: usize| match i {
            0..4 => &["rare"][..],
            4..40 => &["often", "often"],
            _ => &[],
        };
        let sentences: Vec<_> = (0..200).map(|i| sentence(&i.to_string(), &format!("w{i}"), kinds(i))).collect();
        for seed in 0..20 {
            let Partition { parts, groups, repeated } = partition(&sentences, &[0.5, 0.25, 0.25], seed, document);
            assert_eq!((groups, repeated), (200, 0));
            let count =
                |part: &[usize], range: std::ops::Range<usize>| part.iter().filter(|i| range.contains(i)).count();
            let counts =
                |range: std::ops::Range<usize>| parts.iter().map(|part| count(part, range.clone())).collect::<Vec<_>>();
            assert_eq!(counts(0..4), [2, 1, 1]);
            assert_eq!(counts(4..40), [18, 9, 9]);
            assert_eq!(counts(0..200), [100, 50, 50]);
        }
    }

    #[test]
    fn sentences_with_several_relations_are_balanced() {
        let sentences = crate::sample::corpus().unwrap().train.sentences;
        let count = |indices: &[usize]| {
            let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
            let relations = indices.iter().flat_map(|&i| &sentences[i].relations);
            relations.for_each(|relation| *counts.entry(&relation.kind).or_default() += 1.0);
            counts
        };
        let all = count(&(0..sentences.len()).collect::<Vec<_>>());
        for seed in 0..4 {
            let shares = [0.6, 0.2, 0.2];
            for (part, share) in partition(&sentences, &shares, seed, |_| None).parts.iter().zip(shares) {
                let counts = count(part);
                for (kind, total) in &all {
                    let found = counts[kind] / (total * share);
                    assert!((found - 1.0).abs() < 0.15, "seed {seed}, {kind}: {found} of its share of {share}");
                }
            }
        }
    }

    #[test]
    fn another_seed_gives_other_parts_and_another_order_the_same() {
        let sentences: Vec<_> = (0..60).map(|i| sentence(&i.to_string(), &format!("w{i}"), &[])).collect();
        let words = |sentences: &[Sentence], seed| -> Vec<Vec<String>> {
            let parts = partition(sentences, &[1.0, 1.0], seed, document).parts;
            let words = |part: &Vec<usize>| {
                let mut words: Vec<_> = part.iter().map(|&i| sentences[i].tokens[0].text.clone()).collect();
                words.sort();
                words
            };
            parts.iter().map(words).collect()
        };
        let reversed: Vec<_> = sentences.iter().rev().cloned().collect();
        assert_eq!(words(&sentences, 1), words(&reversed, 1));
        assert_ne!(words(&sentences, 1), words(&sentences, 2));
    }

    #[test]
    fn a_part_of_weight_zero_is_empty() {
        let sentences: Vec<_> = (0..9).map(|i| sentence(&i.to_string(), &format!("w{i}"), &["r"])).collect();
        let parts = partition(&sentences, &[2.0, 0.0, 1.0], 3, document).parts;
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [6, 0, 3]);
        assert_eq!(partition(&[], &[1.0, 1.0], 3, document).parts, vec![Vec::<usize>::new(); 2]);
    }

    proptest! {
        #[test]
        fn documents_and_repeated_sentences_stay_together(
            given in prop::collection::vec((0..8u8, 0..12u8, 0..3usize), 0..60),
            seed in 0..4u64,
        ) {
            let sentences: Vec<_> = given
                .iter()
                .enumerate()
                .map(|(i, (document, word, relations))| {
                    sentence(&format!("{document}.{i}"), &format!("w{word}"), &["r", "s"][..*relations.min(&2)])
                })
                .collect();
            let Partition { parts, repeated, .. } = partition(&sentences, &[3.0, 1.0, 1.0], seed, document);
            let mut part_of = vec![usize::MAX; sentences.len()];
            for (part, members) in parts.iter().enumerate() {
                prop_assert!(members.is_sorted());
                for &i in members {
                    prop_assert_eq!(part_of[i], usize::MAX);
                    part_of[i] = part;
                }
            }
            let distinct: std::collections::HashSet<u8> = given.iter().map(|given| given.1).collect();
            prop_assert_eq!(repeated, given.len() - distinct.len());
            for i in 0..given.len() {
                prop_assert!(part_of[i] < 3);
                for j in 0..i {
                    if given[i].0 == given[j].0 || given[i].1 == given[j].1 {
                        prop_assert_eq!(part_of[i], part_of[j]);
                    }
                }
            }
        }
    }
}
