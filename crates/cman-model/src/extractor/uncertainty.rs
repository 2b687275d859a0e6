//! How sure a model is of its answer to a sentence.

use std::sync::Arc;

use cman_core::model::Prediction;
use cman_data::Sentence;
use serde::Serialize;

use super::{ExtractOptions, Extraction, Extractor, LongSentences};
use crate::error::ModelError;

/// An extraction, and how unsure the model is of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Uncertain {
    /// How unsure the model is.
    pub uncertainty: Uncertainty,
    /// What it finds.
    #[serde(flatten)]
    pub extraction: Extraction,
}

/// The negative logarithm, in nats, of the probability that a model gives to its most probable answer: 0 is certainty.
/// Sentences with large values are worth annotating ([`Criterion`]).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Uncertainty {
    /// Of the best tag sequence under the CRF.
    pub tags: f64,
    /// Of all decisions about relations between the entities of that sequence (eq. 10), calibrated if the model has a
    /// [`Calibration`](crate::Calibration).
    pub relations: f64,
}

/// Which sentences are worth annotating first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Criterion {
    /// Those whose most probable answer is least probable: least confidence (Culotta and McCallum, 2005).
    Answer,
    /// The same per token: maximum normalized log-probability (Shen et al., 2018). Long sentences have no advantage.
    Token,
    /// Those that come early in two orders, by the tags and by the relations: rank combination (Reichart et al., 2008).
    /// The tags, which usually have the larger numbers, do not decide alone.
    Ranks,
}

impl Criterion {
    /// The indices of the sentences, those worth annotating first in front. Of equal ones, the first comes first.
    ///
    /// ```
    /// use cman_model::{Criterion, Uncertainty};
    ///
    /// let sentence = |tags, relations, tokens| (Uncertainty { tags, relations }, tokens);
    /// let sentences = [sentence(1.0, 0.5, 30), sentence(2.0, 0.0, 50), sentence(0.9, 0.4, 5)];
    /// assert_eq!(Criterion::Answer.order(&sentences), [1, 0, 2]);
    /// assert_eq!(Criterion::Token.order(&sentences), [2, 0, 1]);
    /// assert_eq!(Criterion::Ranks.order(&sentences), [0, 1, 2]);
    /// ```
    pub fn order(self, sentences: &[(Uncertainty, usize)]) -> Vec<usize> {
        let by = |value: fn(&(Uncertainty, usize)) -> f64| {
            let mut order: Vec<usize> = (0..sentences.len()).collect();
            order.sort_by(|&a, &b| value(&sentences[b]).total_cmp(&value(&sentences[a])));
            order
        };
        match self {
            Self::Answer => by(|(uncertainty, _)| uncertainty.total()),
            Self::Token => by(|(uncertainty, tokens)| uncertainty.total() / (*tokens).max(1) as f64),
            Self::Ranks => {
                let mut ranks = vec![0; sentences.len()];
                for order in [by(|(uncertainty, _)| uncertainty.tags), by(|(uncertainty, _)| uncertainty.relations)] {
                    order.into_iter().enumerate().for_each(|(rank, sentence)| ranks[sentence] += rank);
                }
                let mut order: Vec<usize> = (0..sentences.len()).collect();
                order.sort_by_key(|&sentence| ranks[sentence]);
                order
            }
        }
    }
}

impl Uncertainty {
    /// Of the tags and the relations together.
    pub fn total(self) -> f64 {
        self.tags + self.relations
    }

    /// Of an extraction that has its best tag sequence and all relations, the improbable ones too.
    fn of(complete: &Extraction) -> Self {
        let tags = complete.n_best.first().map_or(0.0, |best| surprisal(best.probability));
        let relations = complete.relations.iter().map(|relation| relation.confidence);
        Self { tags, relations: relations.map(|p| surprisal(p.max(1.0 - p))).sum() }
    }
}

/// The negative logarithm of a probability, finite and not below 0 in spite of rounding.
fn surprisal(probability: f64) -> f64 {
    (-probability.max(f64::MIN_POSITIVE).ln()).max(0.0)
}

impl Extractor {
    /// Extracts from tokenized sentences as [`extract_sentences`](Self::extract_sentences) does, and says how unsure the
    /// model is of each.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let extractor = cman_model::Extractor::load("model".as_ref(), &burn_ragged::DeviceKind::Flex.device()?)?;
    /// let sentence = cman_data::Sentence::from_tokens("1", ["Ada", "lived", "in", "London", "."]);
    /// let found = extractor.extract_uncertain(&[sentence])?.remove(0);
    /// println!("{} nats, {:?}", found.uncertainty.total(), found.extraction.entities);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A sentence that [`check`](Self::check) refuses, or that is too long to be read as a whole: it has no single answer.
    pub fn extract_uncertain(&self, sentences: &[Sentence]) -> Result<Vec<Uncertain>, ModelError> {
        let complete = Self {
            model: Arc::clone(&self.model),
            options: ExtractOptions {
                relation_threshold: Some(0.0),
                n_best: self.options.n_best.max(1),
                long_sentences: LongSentences::Refuse,
                ..self.options.clone()
            },
        };
        let threshold = self.predict_options().threshold;
        sentences.iter().try_for_each(|sentence| complete.check(sentence))?;
        let predictions = complete.predict(sentences)?;
        let uncertain = |(sentence, mut prediction): (&Sentence, Prediction)| {
            let uncertainty = Uncertainty::of(&complete.naming().extraction(sentence, &prediction, 1));
            prediction.relations.retain(|relation| relation.probability > threshold);
            prediction.n_best.truncate(self.options.n_best);
            Uncertain { uncertainty, extraction: self.naming().extraction(sentence, &prediction, 1) }
        };
        Ok(sentences.iter().zip(predictions).map(uncertain).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certainty_is_zero_and_rounding_changes_neither_sign_nor_finiteness() {
        assert_eq!(surprisal(1.0), 0.0);
        assert_eq!(surprisal(1.0 + 1e-12), 0.0);
        assert!(surprisal(0.0) > 700.0 && surprisal(0.0).is_finite());
        assert_eq!(surprisal(0.5), std::f64::consts::LN_2);
    }
}
