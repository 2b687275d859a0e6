//! Scores by entity distance (section 4.3, figure 4).

use std::{collections::BTreeSet, ops::RangeInclusive};

use cman_data::{Entity, Relation, Sentence};

use super::group::{Group, GroupScore, name};

/// The groups, in characters. The paper defines only the last ("more than 20").
const GROUPS: [RangeInclusive<usize>; 3] = [0..=9, 10..=19, 20..=usize::MAX];

/// Type, start and end of an entity.
type Typed<'a> = (&'a str, usize, usize);

/// Strict scores of entity pairs with a relation, by distance: 0-9, 10-19, and 20 or more characters.
///
/// Recall is computed over gold pairs and precision over predicted pairs. An entity belongs to the group of every pair
/// that has it as an argument. A gold entity is found if it is predicted in any pair; a predicted entity is correct if
/// it is gold in any pair.
///
/// # Panics
/// If an argument is not an entity, or an entity exceeds its sentence.
pub fn by_distance(gold: &[Sentence], predicted: &[Sentence]) -> Vec<Group> {
    let group = |range: &RangeInclusive<usize>| {
        let mut counts = [[(0, 0); 2]; 2];
        for (gold, predicted) in gold.iter().zip(predicted) {
            for (side, (these, others)) in [(predicted, gold), (gold, predicted)].into_iter().enumerate() {
                let pairs = pairs(these, |relation| range.contains(&entity_distance(these, relation)));
                let arguments: BTreeSet<Typed> = pairs.iter().flat_map(|(_, head, tail)| [*head, *tail]).collect();
                let expected: BTreeSet<Typed> = others.entities.iter().map(typed).collect();
                add(&mut counts[0][side], arguments.intersection(&expected).count(), arguments.len());
                let all = self::pairs(others, |_| true);
                add(&mut counts[1][side], pairs.intersection(&all).count(), pairs.len());
            }
        }
        let [entities, relations] = counts.map(|[precision, recall]| GroupScore::new(precision, recall));
        Group { name: name(range), entities, relations }
    };
    GROUPS.iter().map(group).collect()
}

/// Number of characters between the last characters of a relation's arguments.
///
/// # Panics
/// If an argument is not an entity of the sentence, or exceeds it.
pub fn entity_distance(sentence: &Sentence, relation: &Relation) -> usize {
    let [head, tail] = [relation.head, relation.tail].map(|i| last_character(sentence, &sentence.entities[i]));
    head.abs_diff(tail)
}

/// Position of the last character of the entity. Without the original text, tokens are joined by one space.
fn last_character(sentence: &Sentence, entity: &Entity) -> usize {
    let tokens = &sentence.tokens[..entity.end];
    match tokens.last().and_then(|token| token.chars.clone()) {
        Some(chars) => chars.end - 1,
        None => tokens.iter().map(|token| token.text.chars().count() + 1).sum::<usize>().saturating_sub(2),
    }
}

fn typed(entity: &Entity) -> Typed<'_> {
    (&entity.kind, entity.start, entity.end)
}

/// The selected relations with their typed arguments.
fn pairs(sentence: &Sentence, select: impl Fn(&Relation) -> bool) -> BTreeSet<(&str, Typed<'_>, Typed<'_>)> {
    let relations = sentence.relations.iter().filter(|relation| select(relation));
    relations.map(|r| (r.kind.as_str(), typed(&sentence.entities[r.head]), typed(&sentence.entities[r.tail]))).collect()
}

fn add((correct, all): &mut (usize, usize), more_correct: usize, more: usize) {
    *correct += more_correct;
    *all += more;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gold() -> Sentence {
        // Last characters: Ann 2, Rome 16, Oslo 45.
        let words = ["Ann", "lives", "in", "Rome", "and", "sometimes", "rather", "in", "Oslo"];
        let mut sentence = Sentence::from_tokens("1", words);
        sentence.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 3..4), Entity::new("Loc", 8..9)];
        sentence.relations = vec![Relation::new("Live_In", 0, 1), Relation::new("Live_In", 0, 2)];
        sentence
    }

    #[test]
    fn distances_are_in_characters() {
        let mut sentence = gold();
        let distances = |s: &Sentence| s.relations.iter().map(|r| entity_distance(s, r)).collect::<Vec<_>>();
        assert_eq!(distances(&sentence), [14, 43]);
        for (i, token) in sentence.tokens.iter_mut().enumerate() {
            token.chars = Some(i..i + 1);
        }
        assert_eq!(distances(&sentence), [3, 8]);
    }

    #[test]
    fn recall_is_over_gold_pairs_and_precision_over_predicted_pairs() {
        let mut predicted = gold();
        predicted.entities[2].kind = "Org".into();
        predicted.relations.push(Relation::new("Located_In", 1, 2));
        let groups = by_distance(&[gold()], &[predicted]);
        let [near, middle, far] = groups.as_slice() else { panic!("three groups") };
        assert_eq!((near.relations, near.name.as_str()), (GroupScore::default(), "0-9"));
        assert_eq!((middle.relations.f1, middle.entities.f1), (1.0, 1.0));
        // Gold: Ann-Oslo; predicted: Ann-Oslo with a wrong type, and Rome-Oslo.
        assert_eq!((far.relations.gold, far.relations.predicted, far.relations.f1), (1, 2, 0.0));
        assert_eq!((far.entities.recall, far.entities.precision), (0.5, 2.0 / 3.0));
        assert_eq!(far.name, "20+");
    }
}
