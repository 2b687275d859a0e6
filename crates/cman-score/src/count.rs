//! Counting true and false positives and false negatives, for each type and for all.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Bounds, Facts, Typed};
use crate::{Prf, Section};

/// Counts of one type, or of all.
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

/// The counts of one [`Section`], filled sentence by sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally<'a> {
    pub micro: Counts,
    pub types: BTreeMap<&'a str, Counts>,
}

impl<'a> Tally<'a> {
    /// A gold item that was predicted.
    pub fn hit(&mut self, kind: &'a str) {
        self.micro.tp += 1;
        self.types.entry(kind).or_default().tp += 1;
    }

    /// A prediction that is not gold.
    pub fn spurious(&mut self, kind: &'a str) {
        self.micro.fp += 1;
        self.types.entry(kind).or_default().fp += 1;
    }

    /// A gold item that was not predicted.
    pub fn miss(&mut self, kind: &'a str) {
        self.micro.fn_ += 1;
        self.types.entry(kind).or_default().fn_ += 1;
    }

    /// Counts labelled items, which are right if they are equal.
    pub fn add<K: Ord>(&mut self, gold: &BTreeSet<(&'a str, K)>, predicted: &BTreeSet<(&'a str, K)>) {
        for item in gold {
            if predicted.contains(item) { self.hit(item.0) } else { self.miss(item.0) }
        }
        for item in predicted.difference(gold) {
            self.spurious(item.0);
        }
    }

    /// Counts spans, which are right if start and end are.
    ///
    /// All types together count each span once. By type, a gold span counts for its gold type, found or missed, and
    /// a spurious span for its predicted type; a span that carries two types counts for both.
    pub fn add_bounds(&mut self, gold: &BTreeSet<Typed<'a>>, predicted: &BTreeSet<Typed<'a>>) {
        let bounds = |set: &BTreeSet<Typed<'a>>| set.iter().map(|item| item.1).collect::<BTreeSet<Bounds>>();
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

    /// The section: a row for each of `declared` and for every other type that occurred; the macro average over the
    /// rows of which `averaged` holds.
    pub fn section(&self, declared: &[String], averaged: impl Fn(&str, &Prf) -> bool) -> Section {
        let mut types: BTreeMap<String, Prf> = declared.iter().map(|name| (name.clone(), Prf::default())).collect();
        types.extend(self.types.iter().map(|(&name, &counts)| (name.to_owned(), counts.into())));
        let macro_ = Prf::mean(types.iter().filter(|(name, prf)| averaged(name, prf)).map(|(_, prf)| prf));
        Section { micro: self.micro.into(), macro_, types }
    }
}

/// The counts of both tasks, strict and boundaries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tallies<'a> {
    pub entities: Tally<'a>,
    pub entity_bounds: Tally<'a>,
    pub relations: Tally<'a>,
    pub relation_bounds: Tally<'a>,
}

impl<'a> Tallies<'a> {
    /// Counts one sentence.
    pub fn add(&mut self, gold: &Facts<'a>, predicted: &Facts<'a>) {
        self.entities.add(&gold.entities, &predicted.entities);
        self.entity_bounds.add_bounds(&gold.entities, &predicted.entities);
        self.relations.add(&gold.relations, &predicted.relations);
        self.relation_bounds.add(&gold.untyped_relations(), &predicted.untyped_relations());
    }

    /// The counts of all types together, in the order of the fields.
    pub fn micro(&self) -> [Counts; 4] {
        [&self.entities, &self.entity_bounds, &self.relations, &self.relation_bounds].map(|tally| tally.micro)
    }
}
