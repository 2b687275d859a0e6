//! Tests on the real corpora, which are not part of this project. They are in the folder `CMAN_SHARED` (relative to the
//! workspace, by default `../shared`). Without it, the tests are skipped.

#[path = "../../../tests/real_data/mod.rs"]
mod real_data;

use std::path::PathBuf;

use cman_data::{Entity, Relation, Schema, Sentence};
use cman_score::{Definition, leaked, score_as, score_leakage, untaggable};
use real_data::real_data;
use serde_json::Value;

fn read(path: PathBuf) -> Vec<Sentence> {
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = |value: &Value| value.as_str().unwrap().to_owned();
    let index = |value: &Value| value.as_u64().unwrap() as usize;
    let sentence = |value: &Value| {
        let [tokens, entities, relations] =
            ["tokens", "entities", "relations"].map(|key| value[key].as_array().unwrap());
        let entity = |e: &Value| Entity::new(name(&e["type"]), index(&e["start"])..index(&e["end"]));
        let relation = |r: &Value| Relation::new(name(&r["type"]), index(&r["head"]), index(&r["tail"]));
        Sentence {
            entities: entities.iter().map(entity).collect(),
            relations: relations.iter().map(relation).collect(),
            ..Sentence::from_tokens(value["orig_id"].to_string(), tokens.iter().map(name))
        }
    };
    serde_json::from_str::<Vec<Value>>(&text).unwrap().iter().map(sentence).collect()
}

fn conll04() -> Schema {
    Schema {
        entities: ["Loc", "Org", "Peop", "Other"].into_iter().collect(),
        relations: ["Kill", "Live_In", "Located_In", "OrgBased_In", "Work_For"].into_iter().collect(),
    }
}

#[test]
fn conll04_has_leaked_test_sentences() {
    let Some(conll04_data) = real_data("conll04/spert") else { return };
    let file = |split: &str| read(conll04_data.join(format!("conll04_{split}.json")));
    let (train, test) = (file("train_dev"), file("test"));
    assert_eq!((train.len(), test.len()), (1_153, 288));
    assert_eq!(leaked(&train, &test).len(), 24);

    let scores = score_leakage(&train, &test, &test, &conll04()).unwrap();
    assert_eq!(scores.all.entities.strict.micro.support, 1_079);
    let leaked: usize = scores.leaked.iter().map(|&i| test[i].entities.len()).sum();
    assert_eq!(scores.new.entities.strict.micro.support, 1_079 - leaked);
    assert_eq!((scores.new.entities.strict.micro.f1, scores.new.relations.strict.macro_.f1), (1.0, 1.0));
}

#[test]
fn tags_can_represent_all_of_conll04_but_not_all_of_ade() {
    let (Some(test), Some(ade)) = (real_data("conll04/spert/conll04_test.json"), real_data("ade/ade_full.json")) else {
        return;
    };
    let test = read(test);
    for definition in Definition::ALL {
        let scores = score_as(definition, &test, &test, &conll04()).unwrap();
        let (entities, relations) = (scores.entities.strict.micro, scores.relations.strict.micro);
        assert_eq!((entities.tp, entities.f1), (1_079, 1.0), "{definition}");
        assert_eq!((relations.tp, relations.f1), (422, 1.0), "{definition}");
    }

    let ade = read(ade);
    let schema = Schema {
        entities: ["Adverse-Effect", "Drug"].into_iter().collect(),
        relations: ["Adverse-Effect"].into_iter().collect(),
    };
    let lost = untaggable(&ade, &schema);
    assert_eq!((lost.sentences, lost.entities, lost.relations), (119, 120, 194));
    let scores = score_as(Definition::Multihead, &ade, &ade, &schema).unwrap();
    let (entities, relations) = (scores.entities.strict.micro, scores.relations.strict.micro);
    assert_eq!((entities.support, entities.fn_), (10_839, lost.entities));
    assert_eq!((relations.support, relations.fn_), (6_821, lost.relations));
}
