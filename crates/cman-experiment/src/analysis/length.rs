//! Scores by sentence length (section 4.4, figure 5).

use std::ops::RangeInclusive;

use cman_data::{Schema, Sentence};
use cman_score::{Prf, ScoreError, score};

use super::group::{Group, GroupScore, name};

/// The paper's groups, in tokens.
const GROUPS: [RangeInclusive<usize>; 4] = [0..=19, 20..=34, 35..=49, 50..=usize::MAX];

/// Strict micro scores by sentence length: 0-19, 20-34, 35-49, and 50 or more tokens.
///
/// # Errors
/// Those of [`score`].
pub fn by_length(gold: &[Sentence], predicted: &[Sentence], schema: &Schema) -> Result<Vec<Group>, ScoreError> {
    let group = |range: &RangeInclusive<usize>| {
        let pairs = gold.iter().zip(predicted).filter(|(gold, _)| range.contains(&gold.len()));
        let (gold, predicted): (Vec<_>, Vec<_>) = pairs.map(|(a, b)| (a.clone(), b.clone())).unzip();
        let scores = score(&gold, &predicted, schema)?;
        let of = |prf: Prf| GroupScore::new((prf.tp, prf.tp + prf.fp), (prf.tp, prf.support));
        let (entities, relations) = (of(scores.entities.strict.micro), of(scores.relations.strict.micro));
        Ok(Group { name: name(range), entities, relations })
    };
    GROUPS.iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use cman_data::Entity;

    use super::*;

    #[test]
    fn groups_have_the_bounds_of_the_paper() {
        let sentence = |n: usize, found: bool| {
            let mut sentence = Sentence::from_tokens(n.to_string(), vec!["a"; n]);
            sentence.entities.extend(found.then(|| Entity::new("X", 0..1)));
            sentence
        };
        let lengths = [19, 20, 34, 35, 49, 50, 119];
        let gold = lengths.map(|n| sentence(n, true));
        let predicted = lengths.map(|n| sentence(n, n % 2 == 0));
        let schema = Schema { entities: ["X"].into_iter().collect(), ..Schema::default() };
        let groups = by_length(&gold, &predicted, &schema).unwrap();
        let seen: Vec<_> = groups.iter().map(|g| (g.name.as_str(), g.entities.gold, g.entities.predicted)).collect();
        assert_eq!(seen, [("0-19", 1, 0), ("20-34", 2, 2), ("35-49", 2, 0), ("50+", 2, 1)]);
        assert_eq!((groups[1].entities.f1, groups[3].entities.recall), (1.0, 0.5));
    }
}
