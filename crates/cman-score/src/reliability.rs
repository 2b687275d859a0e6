//! How reliable confidences are: the calibration curve, its error, and the temperature that lowers it (Guo et al., 2017).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of intervals of a calibration curve.
const BINS: usize = 10;
/// The range of temperatures, as logarithms of base e, and how exactly the best one is found.
const TEMPERATURES: [f64; 2] = [-3.0, 3.0];
const EXACTNESS: f64 = 1e-6;
/// Confidences this close to 0 and 1 are moved away from them, so that their log-odds are finite.
const MARGIN: f64 = 1e-7;

/// The confidence of a prediction, and whether it is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// From 0 to 1.
    pub confidence: f64,
    /// Whether the prediction is right.
    pub is_right: bool,
}

/// A calibration curve: ten intervals of confidence with the share of right predictions in each.
///
/// [`Display`](fmt::Display) draws it as a table with bars.
///
/// ```
/// use cman_score::{Judged, Reliability};
///
/// let judged = [(0.95, true), (0.95, true), (0.55, false), (0.55, true)];
/// let judged = judged.map(|(confidence, is_right)| Judged { confidence, is_right });
/// let curve = Reliability::of(&judged);
/// assert_eq!((curve.predictions, curve.bins[9].predictions), (4, 2));
/// assert!((curve.calibration_error - 0.05).abs() < 1e-12); // half of them off by 0.05 each way
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Number of predictions.
    pub predictions: usize,
    /// Expected calibration error: the distance between confidence and share of right predictions, averaged over the
    /// intervals by their predictions. From 0 to 1.
    pub calibration_error: f64,
    /// The intervals, from the lowest confidence on.
    pub bins: Vec<Bin>,
}

/// An interval of confidence. The upper end belongs to the next interval, except that of the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Lower end.
    pub from: f64,
    /// Upper end.
    pub to: f64,
    /// Number of predictions with such a confidence.
    pub predictions: usize,
    /// Their mean confidence; 0 without predictions.
    pub confidence: f64,
    /// The share of them that is right; 0 without predictions.
    pub right: f64,
}

impl Reliability {
    /// The curve of these predictions.
    pub fn of(judged: &[Judged]) -> Self {
        let mut sums = [(0usize, 0.0, 0usize); BINS];
        for prediction in judged {
            let bin = ((prediction.confidence * BINS as f64) as usize).min(BINS - 1);
            sums[bin].0 += 1;
            sums[bin].1 += prediction.confidence;
            sums[bin].2 += usize::from(prediction.is_right);
        }
        let bins = sums.iter().enumerate().map(|(i, &(predictions, confidence, right))| {
            let mean = |sum: f64| if predictions == 0 { 0.0 } else { sum / predictions as f64 };
            Bin {
                from: i as f64 / BINS as f64,
                to: (i + 1) as f64 / BINS as f64,
                predictions,
                confidence: mean(confidence),
                right: mean(right as f64),
            }
        });
        let bins: Vec<Bin> = bins.collect();
        let distance = |bin: &Bin| (bin.confidence - bin.right).abs() * bin.predictions as f64;
        let calibration_error = bins.iter().map(distance).sum::<f64>() / judged.len().max(1) as f64;
        Self { predictions: judged.len(), calibration_error, bins }
    }
}

impl fmt::Display for Reliability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { predictions, calibration_error, bins } = self;
        writeln!(f, "{predictions} predictions, expected calibration error {:.2} %", 100.0 * calibration_error)?;
        let most = bins.iter().map(|bin| bin.predictions).max().unwrap_or(0).max(1);
        writeln!(f, "{:12}{:>8}{:>10}{:>10}", "confidence", "number", "mean", "right")?;
        for bin in bins.iter().filter(|bin| bin.predictions > 0) {
            let bar = "#".repeat((30 * bin.predictions).div_ceil(most));
            let (from, to) = (bin.from, bin.to);
            let (mean, right) = (100.0 * bin.confidence, 100.0 * bin.right);
            let range = format!("{from:.1} to {to:.1}");
            writeln!(f, "{range:12}{:>8}{mean:>8.1} %{right:>8.1} %  {bar}", bin.predictions)?;
        }
        Ok(())
    }
}

/// The temperature that makes the outcomes most likely, when the log-odds of all confidences are divided by it. 1 if there
/// is nothing to learn from: no predictions, or only right or only wrong ones.
///
/// ```
/// use cman_score::{Judged, fit_temperature};
///
/// // Of 100 predictions with confidence 0.9, only 75 are right: log-odds of ln 9 should be ln 3.
/// let judged: Vec<Judged> = (0..100).map(|i| Judged { confidence: 0.9, is_right: i < 75 }).collect();
/// assert!((fit_temperature(&judged) - 2.0).abs() < 1e-4);
/// ```
pub fn fit_temperature(judged: &[Judged]) -> f64 {
    let right = judged.iter().filter(|prediction| prediction.is_right).count();
    if right == 0 || right == judged.len() {
        return 1.0;
    }
    let log_odds: Vec<(f64, bool)> = judged
        .iter()
        .map(|prediction| {
            let p = prediction.confidence.clamp(MARGIN, 1.0 - MARGIN);
            ((p / (1.0 - p)).ln(), prediction.is_right)
        })
        .collect();
    // ln(1 + exp(-x)) for right predictions, ln(1 + exp(x)) for wrong ones: convex in 1 / temperature.
    let loss = |log_temperature: f64| {
        let scale = (-log_temperature).exp();
        let of_one = |&(log_odds, is_right): &(f64, bool)| {
            let x = if is_right { -log_odds * scale } else { log_odds * scale };
            x.max(0.0) + (-x.abs()).exp().ln_1p()
        };
        log_odds.iter().map(of_one).sum::<f64>()
    };
    // Golden-section search.
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let [mut low, mut high] = TEMPERATURES;
    while high - low > EXACTNESS {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    f64::midpoint(low, high).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(confidence: f64, right: usize, wrong: usize) -> Vec<Judged> {
        (0..right + wrong).map(|i| Judged { confidence, is_right: i < right }).collect()
    }

    #[test]
    fn perfect_confidences_have_no_error() {
        let all = [judged(0.95, 19, 1), judged(0.75, 3, 1), judged(0.25, 1, 3)].concat();
        let curve = Reliability::of(&all);
        assert!(curve.calibration_error < 1e-12);
        assert_eq!(curve.bins.iter().map(|bin| bin.predictions).collect::<Vec<_>>(), [0, 0, 4, 0, 0, 0, 0, 4, 0, 20]);
        assert!((fit_temperature(&judged(0.75, 75, 25)) - 1.0).abs() < 1e-4);
        assert_eq!(Reliability::of(&judged(1.0, 2, 0)).bins[9].predictions, 2);
    }

    #[test]
    fn the_error_is_the_mean_distance() {
        let curve = Reliability::of(&[judged(0.9, 1, 1), judged(0.1, 0, 2)].concat());
        assert!((curve.calibration_error - (0.4 * 2.0 + 0.1 * 2.0) / 4.0).abs() < 1e-12);
        let text = curve.to_string();
        assert!(text.starts_with("4 predictions, expected calibration error 25.00 %"), "{text}");
        assert_eq!(Reliability::of(&[]).calibration_error, 0.0);
    }

    #[test]
    fn temperatures_lower_overconfidence_and_raise_underconfidence() {
        assert!(fit_temperature(&[judged(0.99, 80, 20), judged(0.6, 5, 5)].concat()) > 2.0);
        assert!(fit_temperature(&[judged(0.6, 95, 5), judged(0.55, 90, 10)].concat()) < 0.5);
        for few in [judged(0.9, 3, 0), judged(0.9, 0, 3), Vec::new()] {
            assert_eq!(fit_temperature(&few), 1.0);
        }
        assert!(fit_temperature(&[judged(1.0, 9, 1), judged(0.0, 0, 1)].concat()).is_finite());
    }
}
