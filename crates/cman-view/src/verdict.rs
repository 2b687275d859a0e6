//! What is right and wrong about each entity and relation.

use cman_data::{Entity, Relation, Sentence};

/// The result of comparing one entity or relation with the other annotation.
///
/// An entity is right if type and span are equal, a relation if type, direction and both typed arguments are: the strict
/// rule of [`cman_score`]. Entities that are right are set aside; the other kinds compare what remains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Predicted, and in the gold annotation.
    Right,
    /// A predicted entity with the span of a gold entity of another type.
    WrongType,
    /// A predicted entity that shares tokens with a gold entity, but not all.
    WrongBoundary,
    /// A predicted entity that shares no token with a gold entity.
    Invented,
    /// A predicted relation that is not in the gold annotation.
    Wrong,
    /// A gold relation that was not predicted, or a gold entity without a wrong one in its place.
    Missed,
    /// A gold entity with a wrong one in its place.
    Expected,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 7] =
        [Self::Right, Self::WrongType, Self::WrongBoundary, Self::Invented, Self::Wrong, Self::Missed, Self::Expected];

    /// The name, as the page shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::WrongType => "wrong type",
            Self::WrongBoundary => "wrong boundary",
            Self::Invented => "invented",
            Self::Wrong => "wrong",
            Self::Missed => "missed",
            Self::Expected => "gold",
        }
    }
}

/// The verdicts of one sentence, in the order of its entities and relations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Predicted entities.
    pub predicted_entities: Vec<Verdict>,
    /// Gold entities: `Right`, `Missed` or `Expected`.
    pub gold_entities: Vec<Verdict>,
    /// Predicted relations: `Right` or `Wrong`.
    pub predicted_relations: Vec<Verdict>,
    /// Gold relations: `Right` or `Missed`.
    pub gold_relations: Vec<Verdict>,
}

/// Compares the predicted annotation of a sentence with the gold annotation.
///
/// ```
/// use cman_data::{Entity, Sentence};
/// use cman_view::{Verdict, compare};
///
/// let gold = Sentence { entities: vec![Entity::new("Peop", 0..2)], ..Sentence::from_tokens("1", ["Ada", "King"]) };
/// let predicted = Sentence { entities: vec![Entity::new("Peop", 0..1)], ..gold.clone() };
/// assert_eq!(compare(&gold, &predicted).predicted_entities, [Verdict::WrongBoundary]);
/// ```
///
/// # Panics
/// If an argument of a relation is not an entity.
pub fn compare(gold: &Sentence, predicted: &Sentence) -> Verdicts {
    let without = |all: &'_ [Entity], other: &[Entity]| -> Vec<Entity> {
        all.iter().filter(|entity| !other.contains(entity)).cloned().collect()
    };
    let missing = without(&gold.entities, &predicted.entities);
    let wrong = without(&predicted.entities, &gold.entities);
    let of_predicted = |entity: &Entity| {
        if gold.entities.contains(entity) {
            Verdict::Right
        } else if missing.iter().any(|other| other.span() == entity.span()) {
            Verdict::WrongType
        } else if missing.iter().any(|other| other.overlaps(entity)) {
            Verdict::WrongBoundary
        } else {
            Verdict::Invented
        }
    };
    let of_gold = |entity: &Entity| {
        if predicted.entities.contains(entity) {
            Verdict::Right
        } else if wrong.iter().any(|other| other.overlaps(entity)) {
            Verdict::Expected
        } else {
            Verdict::Missed
        }
    };
    let (gold_relations, predicted_relations) = (typed(gold), typed(predicted));
    let within = |own: &[Typed], other: &[Typed], absent| {
        let verdict = |relation| if other.contains(relation) { Verdict::Right } else { absent };
        own.iter().map(verdict).collect()
    };
    Verdicts {
        predicted_entities: predicted.entities.iter().map(of_predicted).collect(),
        gold_entities: gold.entities.iter().map(of_gold).collect(),
        predicted_relations: within(&predicted_relations, &gold_relations, Verdict::Wrong),
        gold_relations: within(&gold_relations, &predicted_relations, Verdict::Missed),
    }
}

/// A relation with its arguments.
type Typed<'a> = (&'a str, &'a Entity, &'a Entity);

fn typed(sentence: &Sentence) -> Vec<Typed<'_>> {
    let arguments = |relation: &Relation| (&sentence.entities[relation.head], &sentence.entities[relation.tail]);
    let typed = sentence.relations.iter().map(|relation| (relation, arguments(relation)));
    typed.map(|(relation, (head, tail))| (relation.kind.as_str(), head, tail)).collect()
}

#[cfg(test)]
mod tests {
    use cman_data::Schema;
    use cman_score::score;

    use super::*;

    fn sentence(entities: &[(&str, usize, usize)], relations: &[(&str, usize, usize)]) -> Sentence {
        let mut sentence = Sentence::from_tokens("1", vec!["a"; 12]);
        sentence.entities = entities.iter().map(|&(kind, start, end)| Entity::new(kind, start..end)).collect();
        sentence.relations = relations.iter().map(|&(kind, head, tail)| Relation::new(kind, head, tail)).collect();
        sentence
    }

    fn examples() -> (Sentence, Sentence) {
        let gold = sentence(
            &[("A", 0, 1), ("A", 1, 3), ("B", 4, 5), ("A", 6, 7), ("B", 8, 11), ("A", 9, 10)],
            &[("r", 2, 3), ("r", 4, 2), ("s", 0, 2)],
        );
        let predicted = sentence(
            &[("B", 0, 1), ("A", 2, 4), ("B", 4, 5), ("A", 11, 12), ("B", 8, 11)],
            &[("r", 4, 2), ("r", 2, 4), ("s", 0, 2)],
        );
        (gold, predicted)
    }

    #[test]
    fn every_verdict_has_its_case() {
        use Verdict::{Expected, Invented, Missed, Right, Wrong, WrongBoundary, WrongType};

        let (gold, predicted) = examples();
        let found = compare(&gold, &predicted);
        assert_eq!(found.predicted_entities, [WrongType, WrongBoundary, Right, Invented, Right]);
        // The last one is inside of an entity that is right, which does not stand for it.
        assert_eq!(found.gold_entities, [Expected, Expected, Right, Missed, Right, Missed]);
        // Direction and the types of the arguments count.
        assert_eq!(found.predicted_relations, [Right, Wrong, Wrong]);
        assert_eq!(found.gold_relations, [Missed, Right, Missed]);
    }

    #[test]
    fn right_and_wrong_are_those_of_the_strict_scores() {
        let (gold, predicted) = examples();
        let found = compare(&gold, &predicted);
        let scores = score(&[gold], &[predicted], &Schema::default()).unwrap();
        for (predicted, gold, section) in [
            (found.predicted_entities, found.gold_entities, scores.entities.strict),
            (found.predicted_relations, found.gold_relations, scores.relations.strict),
        ] {
            let right = |verdicts: &[Verdict]| verdicts.iter().filter(|&&verdict| verdict == Verdict::Right).count();
            let counts = (right(&predicted), predicted.len() - right(&predicted), gold.len() - right(&gold));
            assert_eq!(counts, (section.micro.tp, section.micro.fp, section.micro.fn_));
        }
    }
}
