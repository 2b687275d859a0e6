//! The data of the page, as compact JSON.

use cman_data::{Entity, Relation, Sentence};
use cman_score::Prf;
use serde::Serialize;

use super::{Gold, Page};
use crate::{
    annotated::AnnotatedSentence,
    palette::TypeColours,
    verdict::{Verdict, compare},
};

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    /// Names of the verdicts. The script refers to them by index.
    verdicts: [&'static str; Verdict::ALL.len()],
    /// Precision, recall and F1 of entities and relations.
    scores: Option<[(&'static str, f64, f64, f64); 2]>,
    /// Whether an entity or a relation has a confidence.
    confident: bool,
    /// Name and colour of each entity type.
    entities: Vec<(&'a str, usize)>,
    /// Name and colour of each relation type.
    relations: Vec<(&'a str, usize)>,
    sentences: Vec<Row<'a>>,
}

/// A sentence: id, tokens, entities, relations.
type Row<'a> = (&'a str, Vec<&'a str>, Vec<Mark>, Vec<Mark>);

/// An entity (type, first token, end) or a relation (type, head, tail), its verdict and its confidence. Verdicts and
/// types
/// are indices. Head and tail count the entities of this sentence's list.
type Mark = (usize, usize, usize, Option<usize>, Option<f64>);

/// JSON that can be the content of an HTML element.
pub(super) fn json(page: &Page) -> String {
    let gold = page.gold.as_ref();
    let all = || {
        let gold = gold.into_iter().flat_map(|gold| &gold.sentences);
        page.sentences.iter().map(|annotated| &annotated.sentence).chain(gold)
    };
    let colours = TypeColours::of(all().collect::<Vec<_>>());
    let names = [colours.entities.names().collect::<Vec<_>>(), colours.relations.names().collect()];
    let with_colours = |names: &[&'_ str], index: &dyn Fn(&str) -> usize| -> Vec<usize> {
        names.iter().map(|name| index(name)).collect()
    };
    let entity_colours = with_colours(&names[0], &|name| colours.entities.index(name));
    let relation_colours = with_colours(&names[1], &|name| colours.relations.index(name));
    let is_confident = |annotated: &AnnotatedSentence| {
        let all = annotated.entity_confidences.iter().chain(&annotated.relation_confidences);
        all.flatten().next().is_some()
    };
    let sentences = page.sentences.iter().enumerate().map(|(i, annotated)| {
        let (entities, relations) = marks(annotated, gold.map(|gold| &gold.sentences[i]), &names);
        let sentence = &annotated.sentence;
        (sentence.id.as_str(), sentence.words().collect(), entities, relations)
    });
    let row = |name, Prf { precision, recall, f1, .. }| (name, precision, recall, f1);
    let scores = |gold: &Gold| {
        let [entities, relations] = [&gold.scores.entities, &gold.scores.relations].map(|task| task.strict.micro);
        [row("Entities", entities), row("Relations", relations)]
    };
    let data = Data {
        verdicts: Verdict::ALL.map(Verdict::name),
        scores: gold.map(scores),
        confident: page.sentences.iter().any(is_confident),
        entities: names[0].iter().copied().zip(entity_colours).collect(),
        relations: names[1].iter().copied().zip(relation_colours).collect(),
        sentences: sentences.collect(),
    };
    let json = serde_json::to_string(&data).expect("annotations have a JSON form");
    json.replace('<', "\\u003c")
}

/// The entities and relations of a sentence. Those of the gold annotation that were not predicted follow.
fn marks(annotated: &AnnotatedSentence, gold: Option<&Sentence>, names: &[Vec<&str>; 2]) -> (Vec<Mark>, Vec<Mark>) {
    let sentence = &annotated.sentence;
    let [entity_type, relation_type] =
        [&names[0], &names[1]].map(|names| |name: &str| names.binary_search(&name).expect("the type occurs"));
    let entity = |entity: &Entity, verdict: Option<Verdict>, confidence: Option<f64>| -> Mark {
        (entity_type(&entity.kind), entity.start, entity.end, verdict.map(index), confidence.map(rounded))
    };
    let relation =
        |relation: &Relation, [head, tail]: [usize; 2], verdict: Option<Verdict>, confidence: Option<f64>| {
            (relation_type(&relation.kind), head, tail, verdict.map(index), confidence.map(rounded))
        };
    let verdicts = gold.map(|gold| compare(gold, sentence));
    let of = |all: fn(&crate::Verdicts) -> &Vec<Verdict>, i: usize| verdicts.as_ref().map(|verdicts| all(verdicts)[i]);
    let own = sentence.entities.iter().enumerate();
    let mut entities: Vec<Mark> =
        own.map(|(i, own)| entity(own, of(|all| &all.predicted_entities, i), annotated.entity_confidence(i))).collect();
    let own = sentence.relations.iter().enumerate();
    let own = own.map(|(i, own)| {
        let verdict = of(|all| &all.predicted_relations, i);
        relation(own, [own.head, own.tail], verdict, annotated.relation_confidence(i))
    });
    let mut relations: Vec<Mark> = own.collect();
    let Some(gold) = gold else { return (entities, relations) };
    let mut places = Vec::new();
    for (i, missing) in gold.entities.iter().enumerate() {
        let found = sentence.entities.iter().position(|own| own == missing);
        places.push(found.unwrap_or(entities.len()));
        if found.is_none() {
            entities.push(entity(missing, of(|all| &all.gold_entities, i), None));
        }
    }
    for (i, missing) in gold.relations.iter().enumerate() {
        let verdict = of(|all| &all.gold_relations, i);
        if verdict == Some(Verdict::Missed) {
            relations.push(relation(missing, [missing.head, missing.tail].map(|i| places[i]), verdict, None));
        }
    }
    (entities, relations)
}

/// The index of a verdict in [`Verdict::ALL`].
fn index(verdict: Verdict) -> usize {
    verdict as usize
}

/// Three decimals are what the page shows and filters by.
fn rounded(confidence: f64) -> f64 {
    (confidence * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(predicted: AnnotatedSentence, gold: Sentence) -> Value {
        let page = Page::new("t", vec![predicted]).unwrap().gold(vec![gold]).unwrap();
        serde_json::from_str(&json(&page)).unwrap()
    }

    #[test]
    fn the_index_of_a_verdict_is_its_place() {
        for (i, verdict) in Verdict::ALL.into_iter().enumerate() {
            assert_eq!(index(verdict), i);
        }
    }

    #[test]
    fn gold_marks_follow_and_refer_to_the_entities_of_the_list() {
        let mut predicted = Sentence::from_tokens("1", ["Ada", "left", "London", "."]);
        predicted.entities = vec![Entity::new("Loc", 2..3), Entity::new("Org", 0..1)];
        predicted.relations = vec![Relation::new("Kill", 1, 0)];
        let mut gold = predicted.clone();
        gold.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 2..3)];
        gold.relations = vec![Relation::new("Live_In", 0, 1)];
        let predicted = AnnotatedSentence {
            entity_confidences: vec![Some(0.98765), None],
            relation_confidences: vec![],
            sentence: predicted,
        };
        let data = page(predicted, gold);
        let names: Vec<_> = ["entities", "relations"].map(|task| data[task].as_array().unwrap()).to_vec();
        assert_eq!(names[0].iter().map(|kind| &kind[0]).collect::<Vec<_>>(), ["Loc", "Org", "Peop"]);
        assert_eq!(names[1].iter().map(|kind| &kind[0]).collect::<Vec<_>>(), ["Kill", "Live_In"]);
        let [right, wrong_type, wrong, missed, expected] = ["right", "wrong type", "wrong", "missed", "gold"]
            .map(|name| data["verdicts"].as_array().unwrap().iter().position(|other| other == name).unwrap());
        let sentence = &data["sentences"][0];
        let entities = json!([[0, 2, 3, right, 0.988], [1, 0, 1, wrong_type, null], [2, 0, 1, expected, null]]);
        assert_eq!(sentence[2], entities);
        assert_eq!(sentence[3], json!([[0, 1, 0, wrong, null], [1, 2, 0, missed, null]]));
        assert_eq!(data["confident"], true);
        assert_eq!(data["scores"][0], json!(["Entities", 0.5, 0.5, 0.5]));
    }

    #[test]
    fn a_corpus_has_no_verdicts() {
        let mut sentence = Sentence::from_tokens("1", ["Ada"]);
        sentence.entities = vec![Entity::new("Peop", 0..1)];
        let page = Page::new("t", vec![sentence.into()]).unwrap();
        let data: Value = serde_json::from_str(&json(&page)).unwrap();
        assert_eq!(data["sentences"][0], json!(["1", ["Ada"], [[0, 0, 1, null, null]], []]));
        assert_eq!((&data["scores"], &data["confident"]), (&Value::Null, &Value::Bool(false)));
    }
}
