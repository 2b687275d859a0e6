//! Test sentences that also occur in the training data, and the scores without them.

use std::{collections::HashSet, fmt};

use cman_data::{Schema, Sentence};

use crate::{error::ScoreError, score::score, scores::Scores};

/// The indices of the sentences of `test` that also occur in `train`, in ascending order.
///
/// Two sentences are the same if their letters and digits match. Case, white space and punctuation are ignored, so the
/// tokenization does not matter. A sentence without letters and digits never counts.
pub fn leaked(train: &[Sentence], test: &[Sentence]) -> Vec<usize> {
    let train_keys: HashSet<String> = train.iter().map(normalised_text).collect();
    let is_leaked = |sentence: &Sentence| {
        let key = normalised_text(sentence);
        !key.is_empty() && train_keys.contains(&key)
    };
    test.iter().enumerate().filter_map(|(i, sentence)| is_leaked(sentence).then_some(i)).collect()
}

fn normalised_text(sentence: &Sentence) -> String {
    let chars = sentence.words().flat_map(str::chars);
    chars.filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Scores with and without the leaked test sentences.
#[derive(Clone, Debug, PartialEq)]
pub struct LeakageScores {
    /// Number of test sentences.
    pub sentences: usize,
    /// The indices of the test sentences that also occur in the training data.
    pub leaked: Vec<usize>,
    /// Scores of all test sentences.
    pub all: Scores,
    /// Scores without the sentences that also occur in the training data.
    pub new: Scores,
}

impl fmt::Display for LeakageScores {
    /// Writes one line, with strict micro F1 in percent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f1 = |scores: &Scores| [&scores.entities, &scores.relations].map(|task| 100.0 * task.strict.micro.f1);
        let ([ner, re], [new_ner, new_re]) = (f1(&self.all), f1(&self.new));
        write!(
            f,
            "{} of {} test sentences also occur in the training data: strict F1 {ner:.2} / {re:.2} with them, \
             {new_ner:.2} / {new_re:.2} without (entities / relations)",
            self.leaked.len(),
            self.sentences,
        )
    }
}

/// Scores the predictions with and without the test sentences that also occur in `train` ([`leaked`]).
///
/// # Errors
/// Those of [`score`].
pub fn score_leakage(
    train: &[Sentence],
    gold: &[Sentence],
    predicted: &[Sentence],
    schema: &Schema,
) -> Result<LeakageScores, ScoreError> {
    let all = score(gold, predicted, schema)?;
    let leaked = leaked(train, gold);
    let without_leaked = |sentences: &[Sentence]| -> Vec<Sentence> {
        let kept = sentences.iter().enumerate().filter(|(i, _)| leaked.binary_search(i).is_err());
        kept.map(|(_, sentence)| sentence.clone()).collect()
    };
    let new = score(&without_leaked(gold), &without_leaked(predicted), schema)?;
    Ok(LeakageScores { sentences: gold.len(), leaked, all, new })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_case_and_punctuation_are_ignored() {
        let train = [Sentence::from_tokens("a", ["U.S.", "troops", "left", "."]), Sentence::from_tokens("b", ["..."])];
        let test = [
            Sentence::from_tokens("0", ["U", ".", "S", ".", "Troops", "left"]),
            Sentence::from_tokens("1", ["U.S.", "troops", "leave"]),
            Sentence::from_tokens("2", ["..."]),
            Sentence::from_tokens("3", ["US", "troops", "left", "!"]),
        ];
        assert_eq!(leaked(&train, &test), [0, 3]);
    }

    #[test]
    fn leaked_sentences_are_excluded() {
        let sentence = |word: &str, right: bool| {
            let mut sentence = Sentence::from_tokens(word, [word]);
            sentence.entities.extend(right.then(|| cman_data::Entity::new("Loc", 0..1)));
            sentence
        };
        let schema = Schema { entities: ["Loc"].into_iter().collect(), ..Schema::default() };
        let gold = [sentence("Rome", true), sentence("Oslo", true), sentence("Bern", true)];
        let predicted = [sentence("Rome", true), sentence("Oslo", true), sentence("Bern", false)];
        let scores = score_leakage(&gold[..1], &gold, &predicted, &schema).unwrap();
        assert_eq!((scores.sentences, scores.leaked.as_slice()), (3, &[0][..]));
        assert_eq!(scores.all.entities.strict.micro.support, 3);
        let new = scores.new.entities.strict.micro;
        assert_eq!((new.tp, new.fn_), (1, 1));
        let line = "1 of 3 test sentences also occur in the training data: strict F1 80.00 / 0.00 with them, \
                    66.67 / 0.00 without (entities / relations)";
        assert_eq!(scores.to_string(), line);
    }
}
