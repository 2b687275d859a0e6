//! True positives, false positives and false negatives, per type and in total.

use std::collections::{BTreeMap, BTreeSet};

use crate::annotation::{AnnotationSets, Bounds, TypedSpan};
use crate::scores::{Prf, Section};

/// Counts of one type or of all types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub tp: usize,
    pub fp: usize,
    pub fn_: usize,
}

impl From<Counts> for Prf {
    fn from(counts: Counts) -> Self {
        Self::from_counts(counts.tp, counts.fp, counts.fn_)
    }
}

/// The counts of one [`Section`], accumulated over sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally<'a> {
    pub micro: Counts,
    pub types: BTreeMap<&'a str, Counts>,
}

impl<'a> Tally<'a> {
    /// Counts a true positive.
    pub fn true_positive(&mut self, kind: &'a str) {
        self.micro.tp += 1;
        self.types.entry(kind).or_default().tp += 1;
    }

    /// Counts a false positive.
    pub fn false_positive(&mut self, kind: &'a str) {
        self.micro.fp += 1;
        self.types.entry(kind).or_default().fp += 1;
    }

    /// Counts a false negative.
    pub fn false_negative(&mut self, kind: &'a str) {
        self.micro.fn_ += 1;
        self.types.entry(kind).or_default().fn_ += 1;
    }

    /// Counts labelled items. An item is correct if label and key match.
    pub fn add<K: Ord>(&mut self, gold: &BTreeSet<(&'a str, K)>, predicted: &BTreeSet<(&'a str, K)>) {
        for item in gold {
            if predicted.contains(item) { self.true_positive(item.0) } else { self.false_negative(item.0) }
        }
        for item in predicted.difference(gold) {
            self.false_positive(item.0);
        }
    }

    /// Counts spans. A span is correct if start and end match.
    ///
    /// The micro counts include each span once. In the counts per type, a gold span counts for its gold type and a false
    /// positive for its predicted type; a span with two types counts for both.
    pub fn add_bounds(&mut self, gold: &BTreeSet<TypedSpan<'a>>, predicted: &BTreeSet<TypedSpan<'a>>) {
        let bounds = |set: &BTreeSet<TypedSpan<'a>>| set.iter().map(|item| item.1).collect::<BTreeSet<Bounds>>();
        let (gold_bounds, predicted_bounds) = (bounds(gold), bounds(predicted));
        self.micro.tp += gold_bounds.intersection(&predicted_bounds).count();
        self.micro.fn_ += gold_bounds.difference(&predicted_bounds).count();
        self.micro.fp += predicted_bounds.difference(&gold_bounds).count();
        for (kind, bounds) in gold {
            let counts = self.types.entry(kind).or_default();
            if predicted_bounds.contains(bounds) { counts.tp += 1 } else { counts.fn_ += 1 }
        }
        for (kind, _) in predicted.iter().filter(|(_, bounds)| !gold_bounds.contains(bounds)) {
            self.types.entry(kind).or_default().fp += 1;
        }
    }

    /// Builds the section, with a row for each declared type and for every other type that occurs. The macro average is
    /// over the rows selected by `averaged`.
    pub fn section(&self, declared: &[String], averaged: impl Fn(&str, &Prf) -> bool) -> Section {
        let mut types: BTreeMap<String, Prf> = declared.iter().map(|name| (name.clone(), Prf::default())).collect();
        types.extend(self.types.iter().map(|(&name, &counts)| (name.to_owned(), counts.into())));
        let macro_ = Prf::mean(types.iter().filter(|(name, prf)| averaged(name, prf)).map(|(_, prf)| prf));
        Section { micro: self.micro.into(), macro_, types }
    }
}

/// The counts for both tasks, strict and boundaries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tallies<'a> {
    pub entities: Tally<'a>,
    pub entity_bounds: Tally<'a>,
    pub relations: Tally<'a>,
    pub relation_bounds: Tally<'a>,
}

impl<'a> Tallies<'a> {
    /// Counts one sentence.
    pub fn add(&mut self, gold: &AnnotationSets<'a>, predicted: &AnnotationSets<'a>) {
        self.entities.add(&gold.entities, &predicted.entities);
        self.entity_bounds.add_bounds(&gold.entities, &predicted.entities);
        self.relations.add(&gold.relations, &predicted.relations);
        self.relation_bounds.add(&gold.untyped_relations(), &predicted.untyped_relations());
    }

    /// The micro counts, in the order of the fields.
    pub fn micro(&self) -> [Counts; 4] {
        [&self.entities, &self.entity_bounds, &self.relations, &self.relation_bounds].map(|tally| tally.micro)
    }
}
