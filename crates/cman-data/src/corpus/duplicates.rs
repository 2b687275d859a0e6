//! Merges annotation that is listed twice.

use std::collections::{HashMap, HashSet};

use crate::sentence::{Entity, Relation, Sentence};

/// Number of entities and relations that were merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) entities: usize,
    pub(crate) relations: usize,
}

/// Removes entities of the type and the tokens of an earlier one, and relations of the type and the arguments of an
/// earlier one. Returns also which relations remain. Relations whose arguments do not exist are left to validation.
pub(crate) fn merge(sentence: &mut Sentence) -> (Merged, Vec<usize>) {
    let mut first: HashMap<Entity, usize> = HashMap::with_capacity(sentence.entities.len());
    let mut entities = Vec::with_capacity(sentence.entities.len());
    let mut places = Vec::with_capacity(sentence.entities.len());
    for entity in sentence.entities.drain(..) {
        let place = *first.entry(entity.clone()).or_insert(entities.len());
        if place == entities.len() {
            entities.push(entity);
        }
        places.push(place);
    }
    let place = |argument: usize| places.get(argument).copied().unwrap_or(argument);
    let (n_entities, n_relations) = (places.len(), sentence.relations.len());
    let mut seen: HashSet<Relation> = HashSet::with_capacity(n_relations);
    let (mut relations, mut kept) = (Vec::with_capacity(n_relations), Vec::with_capacity(n_relations));
    for (i, relation) in sentence.relations.drain(..).enumerate() {
        let relation = Relation { head: place(relation.head), tail: place(relation.tail), ..relation };
        if seen.insert(relation.clone()) {
            relations.push(relation);
            kept.push(i);
        }
    }
    let merged = Merged { entities: n_entities - entities.len(), relations: n_relations - relations.len() };
    (sentence.entities, sentence.relations) = (entities, relations);
    (merged, kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_follow_the_entities_that_remain() {
        let mut sentence = Sentence::from_tokens("1", ["Ann", "left", "Rome"]);
        let (ann, rome) = (Entity::new("Peop", 0..1), Entity::new("Loc", 2..3));
        sentence.entities = vec![ann.clone(), ann.clone(), rome.clone(), ann.clone()];
        sentence.relations = vec![
            Relation::new("Live_In", 1, 2),
            Relation::new("Live_In", 3, 2),
            Relation::new("Live_In", 2, 0),
            Relation::new("Live_In", 0, 9),
        ];
        let (merged, kept) = merge(&mut sentence);
        assert_eq!((merged, kept), (Merged { entities: 2, relations: 1 }, vec![0, 2, 3]));
        assert_eq!(sentence.entities, [ann, rome]);
        let relation = |head, tail| Relation::new("Live_In", head, tail);
        assert_eq!(sentence.relations, [relation(0, 1), relation(1, 0), relation(0, 9)]);
    }
}
