//! Paired bootstrap over sentences: the significance of the difference between two systems.

use std::fmt;

use cman_data::Sentence;
use serde::{Deserialize, Serialize};

use crate::annotation::{AnnotationSets, check_sentences};
use crate::count::{Counts, Tallies};
use crate::error::ScoreError;

/// Settings of a paired bootstrap.
///
/// Each resample draws `n` of the `n` sentences with replacement, the same ones for both systems. The generator is
/// SplitMix64 with initial state `seed`. The index of a drawn sentence is the upper 64 bits of the 128-bit product of
/// the next random number and `n`. The same seed gives the same result on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// Number of resamples: 10,000 by default.
    pub resamples: usize,
    /// Confidence level of the intervals, between 0 and 1: 0.95 by default.
    pub confidence: f64,
    /// Seed of the generator: 0 by default.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 10_000, confidence: 0.95, seed: 0 }
    }
}

/// An estimate with its percentile interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The value on the original sentences.
    pub estimate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// Micro F1 of two systems, from 0 to 1, and their difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// F1 of the first system.
    pub a: Interval,
    /// F1 of the second system.
    pub b: Interval,
    /// F1 of the second system minus F1 of the first.
    pub difference: Interval,
    /// Two-sided p-value (Berg-Kirkpatrick et al. 2012): (1 + k) / (1 + resamples), where k is the number of resamples
    /// whose difference deviates from the observed one by at least the absolute value of the observed one.
    pub p_value: f64,
}

/// The comparison of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskComparison {
    /// With types.
    pub strict: Difference,
    /// Without types.
    pub boundaries: Difference,
}

/// The comparison of two systems on the same sentences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The settings.
    pub bootstrap: Bootstrap,
    /// Number of sentences.
    pub sentences: usize,
    /// Entity recognition.
    pub entities: TaskComparison,
    /// Relation extraction.
    pub relations: TaskComparison,
}

/// Number of metrics: two tasks, strict and boundaries.
const METRICS: usize = 4;

/// The counts for F1, per system and metric: true positives, and predictions plus gold items.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    correct: [[u32; METRICS]; 2],
    total: [[u32; METRICS]; 2],
}

impl Totals {
    fn of(gold: &Sentence, systems: [&Sentence; 2]) -> Self {
        let mut totals = Self::default();
        let gold = AnnotationSets::of(gold);
        for (i, system) in systems.into_iter().enumerate() {
            let mut tallies = Tallies::default();
            tallies.add(&gold, &AnnotationSets::of(system));
            for (j, Counts { tp, fp, fn_ }) in tallies.micro().into_iter().enumerate() {
                totals.correct[i][j] = tp as u32;
                totals.total[i][j] = (2 * tp + fp + fn_) as u32;
            }
        }
        totals
    }

    fn add(&mut self, other: &Self) {
        for i in 0..2 {
            for j in 0..METRICS {
                self.correct[i][j] += other.correct[i][j];
                self.total[i][j] += other.total[i][j];
            }
        }
    }

    fn f1(&self, system: usize, metric: usize) -> f64 {
        match self.total[system][metric] {
            0 => 0.0,
            total => f64::from(2 * self.correct[system][metric]) / f64::from(total),
        }
    }
}

impl Bootstrap {
    /// Compares the predictions of two systems, `a` and `b`, with the rules of [`score`](crate::score()).
    ///
    /// # Errors
    /// If `resamples` is 0 or `confidence` is not between 0 and 1; the errors of [`score`](crate::score()).
    pub fn compare(&self, gold: &[Sentence], a: &[Sentence], b: &[Sentence]) -> Result<Comparison, ScoreError> {
        self.validate()?;
        check_sentences(gold, a)?;
        check_sentences(gold, b)?;
        let systems = a.iter().zip(b);
        let sentences: Vec<Totals> = gold.iter().zip(systems).map(|(gold, (a, b))| Totals::of(gold, [a, b])).collect();
        let mut observed = Totals::default();
        sentences.iter().for_each(|totals| observed.add(totals));
        let mut generator = SplitMix64(self.seed);
        let mut resample = || {
            let mut sum = Totals::default();
            for _ in 0..sentences.len() {
                sum.add(&sentences[generator.below(sentences.len())]);
            }
            sum
        };
        let resamples: Vec<Totals> = (0..self.resamples).map(|_| resample()).collect();
        let metric = |metric| self.difference(&observed, &resamples, metric);
        Ok(Comparison {
            bootstrap: *self,
            sentences: gold.len(),
            entities: TaskComparison { strict: metric(0), boundaries: metric(1) },
            relations: TaskComparison { strict: metric(2), boundaries: metric(3) },
        })
    }

    fn validate(&self) -> Result<(), ScoreError> {
        let error = |field, found, expected| Err(ScoreError::Bootstrap { field, found, expected });
        if self.resamples == 0 {
            return error("resamples", self.resamples.to_string(), "at least 1");
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return error("confidence", self.confidence.to_string(), "a number between 0 and 1");
        }
        Ok(())
    }

    fn difference(&self, observed: &Totals, resamples: &[Totals], metric: usize) -> Difference {
        let interval = |value: &dyn Fn(&Totals) -> f64| {
            let mut values: Vec<f64> = resamples.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            let tail = (1.0 - self.confidence) / 2.0;
            Interval { estimate: value(observed), low: quantile(&values, tail), high: quantile(&values, 1.0 - tail) }
        };
        let difference = |totals: &Totals| totals.f1(1, metric) - totals.f1(0, metric);
        let estimate = difference(observed);
        let extreme = resamples.iter().filter(|totals| (difference(totals) - estimate).abs() >= estimate.abs()).count();
        Difference {
            a: interval(&|totals| totals.f1(0, metric)),
            b: interval(&|totals| totals.f1(1, metric)),
            difference: interval(&difference),
            p_value: (1 + extreme) as f64 / (1 + resamples.len()) as f64,
        }
    }
}

/// The quantile of sorted values, with linear interpolation.
fn quantile(sorted: &[f64], fraction: f64) -> f64 {
    let position = fraction * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    below + (above - below) * position.fract()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A random number below `n`.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

impl fmt::Display for Comparison {
    /// Writes a table of micro F1 in percent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bootstrap { resamples, confidence, seed } = self.bootstrap;
        let percent = 100.0 * confidence;
        writeln!(
            f,
            "micro F1, {percent}% intervals from {resamples} resamples of {} sentences (seed {seed})",
            self.sentences
        )?;
        writeln!(f, "{:21} {:>24} {:>24} {:>24} {:>7}", "", "a", "b", "b - a", "p")?;
        for (name, task) in [("entities", &self.entities), ("relations", &self.relations)] {
            for (mode, metric) in [("strict", &task.strict), ("boundaries", &task.boundaries)] {
                let [a, b, difference] = [metric.a, metric.b, metric.difference].map(|interval| interval.to_string());
                let title = format!("{name}, {mode}");
                writeln!(f, "{title:21} {a:>24} {b:>24} {difference:>24} {:7.4}", metric.p_value)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Interval {
    /// Writes the estimate and the interval in percent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [estimate, low, high] = [self.estimate, self.low, self.high].map(|fraction| 100.0 * fraction);
        write!(f, "{estimate:.2} [{low:.2}, {high:.2}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        let mut generator = SplitMix64(1_234_567);
        let numbers = [generator.next(), generator.next(), generator.next()];
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn quantiles_are_linear_between_values() {
        let values = [1.0, 2.0, 4.0];
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|fraction| quantile(&values, fraction)), [1.0, 1.5, 2.0, 3.0, 4.0]);
        assert_eq!(quantile(&[7.0], 0.3), 7.0);
    }
}
