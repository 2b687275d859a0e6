//! The multi-head scorer: BIO tags, and relations between tokens, which it maps to the chunks of the tags.

use std::collections::BTreeSet;

use cman_data::{Entity, LabelSet, Relation, Schema, Sentence, Span, Tag, decode, encode};

use crate::annotation::{AnnotationSets, Pair, TypedSpan};
use crate::count::Tally;
use crate::scores::Section;

/// The type of a token outside all entities.
const OUTSIDE: &str = "O";

/// The type that the macro average of the relaxed mode excludes.
const OTHER: &str = "Other";

/// Maps relations between tokens, given as (head token, label, tail token), to relations between the entities that
/// contain the tokens. Any token of an entity stands for it.
///
/// Relations with a token outside all entities and duplicates are dropped. If a token belongs to two entities, which
/// does not occur with entities from tags, it stands for the first one.
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

/// Converts the annotation to BIO tags and last tokens, and back: of two overlapping entities the longer one is kept,
/// and a relation connects the entities that contain the last tokens of its arguments.
pub(crate) fn via_tags(sentence: &Sentence, schema: &Schema) -> Sentence {
    let (tags, _, kinds) = bio_tags(sentence, schema);
    let entity = |span: Span| Entity::new(kinds.name(span.kind), span.tokens());
    let entities: Vec<Entity> = decode(&tags).into_iter().map(entity).collect();
    let last = |i: usize| sentence.entities[i].end - 1;
    let pairs = sentence.relations.iter().map(|relation| (last(relation.head), &relation.kind, last(relation.tail)));
    let relations = chunk_relations(&entities, pairs);
    Sentence { entities, relations, ..sentence.clone() }
}

/// The tags of the sentence, whether each entity is encoded in them, and the types that the tags refer to: the declared
/// types, then those that only occur in this sentence.
///
/// # Panics
/// If an entity is empty or extends past the sentence.
pub(crate) fn bio_tags(sentence: &Sentence, schema: &Schema) -> (Vec<Tag>, Vec<bool>, LabelSet) {
    let mut kinds = schema.entities.clone();
    let spans = sentence.entities.iter();
    let spans = spans.map(|entity| Span { start: entity.start, end: entity.end, kind: kinds.insert(&entity.kind) });
    let (tags, written) = encode(&spans.collect::<Vec<_>>(), sentence.len());
    (tags, written, kinds)
}

/// The relaxed mode (entity classification). The boundaries of the gold chunks are given. A predicted chunk has the gold
/// type if one of its tokens has it, and otherwise the most frequent type of its tokens (the first one in a tie).
/// Relations connect these chunks.
#[derive(Debug, Default)]
pub(crate) struct Relaxed<'a> {
    entities: Tally<'a>,
    relations: Tally<'a>,
}

impl<'a> Relaxed<'a> {
    /// Counts one sentence; `predicted` is the result of [`via_tags`].
    pub fn add(&mut self, gold: &'a Sentence, predicted: &'a Sentence, schema: &Schema) {
        let mut classes = vec![OUTSIDE; predicted.len()];
        for entity in &predicted.entities {
            classes[entity.span()].fill(&entity.kind);
        }
        let (_, written, _) = bio_tags(gold, schema);
        let chunks = gold.entities.iter().zip(written).filter_map(|(entity, written)| written.then_some(entity));
        let chunks: Vec<TypedSpan<'a>> =
            chunks.map(|gold| (classify(gold, &classes), (gold.start, gold.end))).collect();

        let find = |token: usize| chunks.iter().copied().find(|(_, (start, end))| (*start..*end).contains(&token));
        let last = |i: usize| predicted.entities[i].end - 1;
        let pair = |relation: &'a Relation| {
            Some((relation.kind.as_str(), (find(last(relation.head))?, find(last(relation.tail))?)))
        };
        let relations: BTreeSet<Pair<'a, TypedSpan<'a>>> = predicted.relations.iter().filter_map(pair).collect();

        let gold = AnnotationSets::of(gold);
        self.entities.add(&gold.entities, &chunks.into_iter().collect());
        self.relations.add(&gold.relations, &relations);
    }

    /// The sections for entities and relations. If a chunk was predicted as no entity, `O` has a row and counts in the
    /// micro average.
    pub fn sections(&self, schema: &Schema) -> (Section, Section) {
        let (kinds, labels) = (&schema.entities, &schema.relations);
        let entities = self.entities.section(kinds.names(), |name, _| name != OTHER && kinds.id(name).is_some());
        (entities, self.relations.section(labels.names(), |name, _| labels.id(name).is_some()))
    }
}

/// The predicted type of the chunk of `gold`, from the types of all tokens.
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
    fn any_token_of_an_entity_maps_to_it() {
        let entities = [Entity::new("Peop", 1..4), Entity::new("Loc", 5..6)];
        let pairs = [(1, "Live_In", 5), (3, "Live_In", 5), (5, "Live_In", 2), (4, "Live_In", 5), (1, "Live_In", 0)];
        let relations = chunk_relations(&entities, pairs);
        assert_eq!(relations, [Relation::new("Live_In", 0, 1), Relation::new("Live_In", 1, 0)]);
    }

    #[test]
    fn tags_keep_the_first_declared_type_of_a_span() {
        let schema = Schema { entities: ["Loc", "Org"].into_iter().collect(), ..Schema::default() };
        let mut sentence = Sentence::from_tokens("s", ["Oslo"]);
        sentence.entities = ["Date", "Org", "Loc"].map(|kind| Entity::new(kind, 0..1)).into();
        assert_eq!(via_tags(&sentence, &schema).entities, [Entity::new("Loc", 0..1)]);
    }
}
