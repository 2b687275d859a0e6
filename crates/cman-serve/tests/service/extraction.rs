//! Answers equal those of the library.

use cman_data::sample;
use cman_model::{Document, ExtractOptions, GivenEntity, LongSentences, SignatureFilter};
use cman_serve::{Models, Settings};
use serde_json::{Value, json};

use crate::{
    client::{extract, get},
    engines::{TEXT, extractor},
    running::{plain, serve_models},
};

#[test]
fn an_answer_equals_the_library_to_the_bit() {
    let (service, extractor) = (plain(), extractor());
    // As text, because reading a number may change its last bit.
    let whole = |documents: &[Document]| {
        format!(r#"{{"model":"small","documents":{}}}"#, serde_json::to_string(documents).unwrap())
    };
    for text in [TEXT, "", " \n", "Köln 🇩🇪 𝄞 Zoë.", "a b\u{0}c \u{feff} d"] {
        let answer = extract(service.address, &json!({"text": text}));
        assert_eq!((answer.status, answer.text()), (200, whole(&[extractor.extract_document(text).unwrap()])));
    }
    let texts = [TEXT, "Nobody.", "Ann Lee of Berlin works for Acme Corp."];
    let library = extractor.extract_documents(&texts).unwrap();
    assert_eq!(extract(service.address, &json!({"texts": texts})).text(), whole(&library));
}

#[test]
fn other_texts_of_a_batch_do_not_change_an_answer() {
    let extractor = extractor();
    let sentences: Vec<String> = sample::corpus()
        .unwrap()
        .train
        .sentences
        .iter()
        .map(|sentence| sentence.words().collect::<Vec<_>>().join(" "))
        .collect();
    let texts: Vec<&str> = sentences.iter().map(String::as_str).take(120).collect();
    let together = extractor.extract_documents(&texts).unwrap();
    let mut largest = 0.0f64;
    for (text, found) in texts.iter().zip(&together) {
        let alone = extractor.extract_document(text).unwrap();
        let kinds = |document: &Document| {
            let entities: Vec<_> = document.entities.iter().map(|e| (e.kind.clone(), e.span.clone())).collect();
            let relations: Vec<_> = document.relations.iter().map(|r| (r.kind.clone(), r.head, r.tail)).collect();
            (entities, relations)
        };
        assert_eq!(kinds(&alone), kinds(found), "{text}");
        let entities = alone.entities.iter().zip(&found.entities).map(|(a, b)| (a.confidence - b.confidence).abs());
        let relations = alone.relations.iter().zip(&found.relations).map(|(a, b)| (a.confidence - b.confidence).abs());
        largest = entities.chain(relations).fold(largest, f64::max);
    }
    println!("largest difference of a confidence, alone or in a batch: {largest:e}");
    assert!(largest <= 1e-5, "{largest}");
}

#[test]
fn options_are_those_of_the_library() {
    let (service, extractor) = (plain(), extractor());
    let answer = |options: &Value| extract(service.address, &json!({"text": TEXT, "options": options}));
    let all = [
        ExtractOptions { entity_threshold: 0.9, ..ExtractOptions::default() },
        ExtractOptions { relation_threshold: Some(0.2), ..ExtractOptions::default() },
        ExtractOptions { relations: false, n_best: 3, ..ExtractOptions::default() },
        ExtractOptions { max_tokens: 5, ..ExtractOptions::default() },
        ExtractOptions { signatures: SignatureFilter::Only(vec![]), ..ExtractOptions::default() },
    ];
    for options in all {
        let expected = extractor.with_options(options.clone()).unwrap().extract_document(TEXT).unwrap();
        let text = answer(&serde_json::to_value(&options).unwrap()).text();
        assert!(text.contains(&serde_json::to_string(&expected).unwrap()), "{options:?}");
    }
    // A sentence that is too long is never cut silently.
    let long = answer(&json!({"max_tokens": 5})).json();
    assert!(long["documents"][0]["sentences"][0]["windows"].as_u64().unwrap() > 1);
    let refuse = serde_json::to_value(LongSentences::Refuse).unwrap();
    let refused = answer(&json!({"max_tokens": 5, "long_sentences": refuse})).problem(422);
    assert!(refused.starts_with("text: sentence of "), "{refused}");
}

#[test]
fn relations_between_given_entities() {
    let (service, extractor) = (plain(), extractor());
    let entity = |kind: &str, start, end| GivenEntity { kind: kind.into(), start, end };
    let text = "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan.";
    let given = [entity("Loc", 46, 51), entity("Peop", 5, 14)];
    let expected = extractor.relate_document(text, &given).unwrap();
    assert_eq!(expected.entities.len(), 2);
    let answer = extract(service.address, &json!({"text": text, "entities": given})).text();
    assert!(answer.contains(&serde_json::to_string(&expected).unwrap()), "{answer}");
    let problem = |body: Value| extract(service.address, &body).problem(422);
    let cut = problem(json!({"text": text, "entities": [entity("Loc", 46, 49)]}));
    assert_eq!(cut, "entities[0]: expected whole tokens of one sentence, such as 46 to 51, found 46 to 49");
    let unknown = problem(json!({"text": text, "entities": [entity("City", 46, 51)]}));
    assert!(unknown.contains("City"), "{unknown}");
    // Entities that overlap, or come twice, are an answer or a problem of the client, but no failure.
    for entities in
        [vec![entity("Loc", 46, 51), entity("Org", 46, 51)], vec![entity("Loc", 23, 42), entity("Loc", 32, 42)]]
    {
        let answer = extract(service.address, &json!({"text": text, "entities": entities}));
        assert!([200, 422].contains(&answer.status), "{}", answer.text());
    }
}

#[test]
fn a_request_names_its_model() {
    let models = Models::new("first", extractor()).unwrap().with("second", extractor()).unwrap();
    let service = serve_models(models, Settings::default());
    let model = |body: Value| extract(service.address, &body).json()["model"].clone();
    assert_eq!(model(json!({"text": "a"})), "first");
    assert_eq!(model(json!({"text": "a", "model": "second"})), "second");
    let unknown = extract(service.address, &json!({"text": "a", "model": "third"})).problem(422);
    assert_eq!(unknown, "model: expected `first` or `second`, found `third`");
    let info = get(service.address, "/info").json();
    assert_eq!(info["models"][1]["name"], "second");
    assert!(info["models"][0]["entities"].as_array().unwrap().contains(&"Peop".into()));
    assert_eq!(info["limits"]["max_texts"], 64);
    let same = Models::new("a", extractor()).unwrap().with("a", extractor());
    assert_eq!(same.err().unwrap().to_string(), "model `a`: expected another name: two models have this one");
}
