//! What the multi-head scorer sees: tags and relations between tokens, which it maps to the chunks of the tags.

use std::collections::BTreeSet;

use cman_data::{Entity, LabelSet, Relation, Schema, Sentence, Span, Tag, decode, encode};

use crate::Section;
use crate::count::Tally;
use crate::facts::{Facts, Pair, Typed};

/// The type that a token outside of every entity has.
const OUTSIDE: &str = "O";

/// The type that the macro average of the relaxed mode leaves out.
const OTHER: &str = "Other";

/// Maps relations between tokens, given as (token of the head, label, token of the tail), to the entities that
/// contain the tokens, be it the last token or another.
///
/// A relation with a token outside of every entity is dropped, as is a second one of the same label on the same
/// entities. The entities come from tags, so no two share a token; if two do, the first one counts.
pub fn chunk_relations<S: AsRef<str>>(
    entities: &[Entity],
    pairs: impl IntoIterator<Item = (usize, S, usize)>,
) -> Vec<Relation> {
    let find = |token| entities.iter().position(|entity| entity.span().contains(&token));
    let mut relations = Vec::new();
    for (head, label, tail) in pairs {
        if let (Some(head), Some(tail)) = (find(head), find(tail)) {
            let relation = Relation::new(label.as_ref(), head, tail);
            if !relations.contains(&relation) {
                relations.push(relation);
            }
        }
    }
    relations
}

/// The sentence as BIO tags and last tokens can tell it: of two entities that overlap the longer stays, and a
/// relation runs between the entities that hold the last tokens of its arguments.
pub(crate) fn through_tags(sentence: &Sentence, schema: &Schema) -> Sentence {
    let (tags, _, kinds) = tag(sentence, schema);
    let entity = |span: Span| Entity::new(kinds.name(span.kind), span.tokens());
    let entities: Vec<Entity> = decode(&tags).into_iter().map(entity).collect();
    let last = |i: usize| sentence.entities[i].end - 1;
    let pairs = sentence.relations.iter().map(|relation| (last(relation.head), &relation.kind, last(relation.tail)));
    let relations = chunk_relations(&entities, pairs);
    Sentence { entities, relations, ..sentence.clone() }
}

/// The tags of the sentence, which of its entities got into them, and the types they refer to: the declared ones and
/// then those that only this sentence has.
///
/// # Panics
/// If an entity is empty or leaves the sentence.
pub(crate) fn tag(sentence: &Sentence, schema: &Schema) -> (Vec<Tag>, Vec<bool>, LabelSet) {
    let mut kinds = schema.entities.clone();
    let spans = sentence.entities.iter();
    let spans = spans.map(|entity| Span { start: entity.start, end: entity.end, kind: kinds.insert(&entity.kind) });
    let (tags, written) = encode(&spans.collect::<Vec<_>>(), sentence.len());
    (tags, written, kinds)
}

/// The relaxed mode (entity classification): the boundaries of the gold chunks are given; a predicted chunk has the
/// gold type if one of its tokens has it, else the most frequent type of its tokens (the first of equals), and
/// relations hold between chunks so typed.
#[derive(Debug, Default)]
pub(crate) struct Relaxed<'a> {
    entities: Tally<'a>,
    relations: Tally<'a>,
}

impl<'a> Relaxed<'a> {
    /// Counts one sentence; `predicted` has come [`through_tags`].
    pub fn add(&mut self, gold: &'a Sentence, predicted: &'a Sentence, schema: &Schema) {
        let mut classes = vec![OUTSIDE; predicted.len()];
        for entity in &predicted.entities {
            classes[entity.span()].fill(&entity.kind);
        }
        let (_, written, _) = tag(gold, schema);
        let chunks = gold.entities.iter().zip(written).filter_map(|(entity, written)| written.then_some(entity));
        let chunks: Vec<Typed<'a>> = chunks.map(|gold| (classify(gold, &classes), (gold.start, gold.end))).collect();

        let find = |token: usize| chunks.iter().copied().find(|(_, (start, end))| (*start..*end).contains(&token));
        let last = |i: usize| predicted.entities[i].end - 1;
        let pair = |relation: &'a Relation| {
            Some((relation.kind.as_str(), (find(last(relation.head))?, find(last(relation.tail))?)))
        };
        let relations: BTreeSet<Pair<'a, Typed<'a>>> = predicted.relations.iter().filter_map(pair).collect();

        let gold = Facts::of(gold);
        self.entities.add(&gold.entities, &chunks.into_iter().collect());
        self.relations.add(&gold.relations, &relations);
    }

    /// The sections of entities and of relations. `O` has a row, and counts in the micro average, where a chunk was
    /// taken for no entity.
    pub fn sections(&self, schema: &Schema) -> (Section, Section) {
        let (kinds, labels) = (&schema.entities, &schema.relations);
        let entities = self.entities.section(kinds.names(), |name, _| name != OTHER && kinds.id(name).is_some());
        (entities, self.relations.section(labels.names(), |name, _| labels.id(name).is_some()))
    }
}

/// The type of a predicted chunk with the boundaries of `gold`, from the classes of all tokens.
fn classify<'a>(gold: &'a Entity, classes: &[&'a str]) -> &'a str {
    let classes = &classes[gold.span()];
    if classes.contains(&gold.kind.as_str()) {
        return &gold.kind;
    }
    let count = |class: &str| classes.iter().filter(|&&other| other == class).count();
    let best = classes.iter().rev().max_by_key(|class| count(class));
    best.expect("an entity has a token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_token_of_an_entity_stands_for_it() {
        let entities = [Entity::new("Peop", 1..4), Entity::new("Loc", 5..6)];
        let pairs = [(1, "Live_In", 5), (3, "Live_In", 5), (5, "Live_In", 2), (4, "Live_In", 5), (1, "Live_In", 0)];
        let relations = chunk_relations(&entities, pairs);
        assert_eq!(relations, [Relation::new("Live_In", 0, 1), Relation::new("Live_In", 1, 0)]);
    }

    #[test]
    fn of_two_entities_on_one_span_tags_keep_the_type_declared_first() {
        let schema = Schema { entities: ["Loc", "Org"].into_iter().collect(), ..Schema::default() };
        let mut sentence = Sentence::from_tokens("s", ["Oslo"]);
        sentence.entities = ["Date", "Org", "Loc"].map(|kind| Entity::new(kind, 0..1)).into();
        assert_eq!(through_tags(&sentence, &schema).entities, [Entity::new("Loc", 0..1)]);
    }
}
