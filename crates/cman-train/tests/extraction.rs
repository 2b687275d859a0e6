//! Extraction with options, given entities, windows and offsets; packages and calibration.

mod common;

use std::{fs, path::Path, sync::OnceLock};

use burn::tensor::Device;
use cman_data::{Entity, Sentence};
use cman_model::{
    About, Calibration, Card, ExtractOptions, Extraction, Extractor, GivenEntity, LoadOptions, LongSentences, Measured,
    Model, ModelError, Packing, Precision, Signature, SignatureFilter,
};
use cman_train::{JudgedPredictions, Learner, TrainingData};
use common::{bits, config, encoder_copy, schema, sentences};
use proptest::prelude::*;

/// A model that has learned the task.
fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| train(&["train.epochs=30"]))
}

fn train(settings: &[&str]) -> Model {
    let (schema, sentences) = (schema(), sentences());
    let data = TrainingData { schema: &schema, train: &sentences, dev: &[] };
    let learner = Learner::new(config(settings), data, None, &Device::flex()).unwrap();
    learner.run(&mut ()).unwrap().model
}

fn extractor(options: ExtractOptions) -> Extractor {
    Extractor::new(model().clone()).with_options(options).unwrap()
}

fn plain() -> Extractor {
    extractor(ExtractOptions::default())
}

fn load(path: &Path) -> Result<Model, String> {
    Model::load(path, &Device::flex()).map_err(|error| error.to_string())
}

/// Type and place of the entities.
fn places(extraction: &Extraction) -> Vec<(&str, usize, usize)> {
    extraction.entities.iter().map(|entity| (&*entity.kind, entity.start, entity.end)).collect()
}

#[test]
fn the_task_is_learned() {
    let found = plain().extract_sentences(&sentences()).unwrap();
    let right =
        sentences().iter().zip(&found).filter(|(gold, found)| gold.entities.len() == found.entities.len()).count();
    assert!(right >= 10 && found.iter().map(|found| found.relations.len()).sum::<usize>() >= 10, "{right} of 12");
}

#[test]
fn thresholds_leave_out_what_is_less_certain() {
    let all = plain().extract_sentences(&sentences()).unwrap();
    let mut confidences: Vec<f64> = all.iter().flat_map(|e| &e.entities).map(|e| e.confidence).collect();
    confidences.sort_by(f64::total_cmp);
    let middle = confidences[confidences.len() / 2];
    let some = extractor(ExtractOptions { entity_threshold: middle, ..ExtractOptions::default() });
    for (all, some) in all.iter().zip(some.extract_sentences(&sentences()).unwrap()) {
        let kept: Vec<_> = all.entities.iter().filter(|entity| entity.confidence >= middle).cloned().collect();
        assert_eq!(some.entities, kept);
        assert!(some.relations.iter().all(|r| r.head < kept.len() && r.tail < kept.len()));
    }
    let count = |threshold| {
        let options = ExtractOptions { relation_threshold: Some(threshold), ..ExtractOptions::default() };
        let found = extractor(options).extract_sentences(&sentences()).unwrap();
        let relations: Vec<_> = found.into_iter().flat_map(|found| found.relations).collect();
        assert!(relations.iter().all(|relation| relation.confidence > threshold));
        relations.len()
    };
    assert!(count(0.0) > count(0.5) && count(0.5) > count(1.0) && count(1.0) == 0);
}

#[test]
fn uncertainty_is_that_of_the_tags_and_of_every_relation() {
    let found = plain().extract_uncertain(&sentences()).unwrap();
    let plainly = plain().extract_sentences(&sentences()).unwrap();
    assert_eq!(found.iter().map(|found| &found.extraction).collect::<Vec<_>>(), plainly.iter().collect::<Vec<_>>());
    let options = ExtractOptions { relation_threshold: Some(0.0), n_best: 64, ..ExtractOptions::default() };
    for (found, all) in found.iter().zip(extractor(options).extract_sentences(&sentences()).unwrap()) {
        let best = all.n_best.iter().map(|sequence| sequence.probability).fold(0.0, f64::max);
        assert!((found.uncertainty.tags + best.ln()).abs() < 1e-9);
        let answer: f64 = all.relations.iter().map(|r| r.confidence.max(1.0 - r.confidence)).product();
        assert!((found.uncertainty.relations + answer.ln()).abs() < 1e-9);
    }
    let of_relations = |relations| {
        let options = ExtractOptions { relations, ..ExtractOptions::default() };
        let found = extractor(options).extract_uncertain(&sentences()).unwrap();
        found.iter().map(|found| found.uncertainty.relations).sum::<f64>()
    };
    assert!(of_relations(true) > 0.0 && of_relations(false) == 0.0);
    let short = extractor(ExtractOptions { max_tokens: 3, ..ExtractOptions::default() });
    assert!(matches!(short.extract_uncertain(&sentences()), Err(ModelError::LongSentence { most: 3, .. })));
}

#[test]
fn signatures_are_those_of_the_training_data() {
    let signatures: Vec<(String, usize)> =
        model().signatures().unwrap().iter().map(|(signature, count)| (signature.to_string(), count)).collect();
    assert_eq!(signatures, [("Live_In(Peop, Loc)".to_owned(), 12)]);
    let found = |signatures| {
        let options = ExtractOptions { relation_threshold: Some(0.0), signatures, ..ExtractOptions::default() };
        let found = extractor(options).extract_sentences(&sentences()).unwrap();
        let of = |found: &Extraction| {
            let kind = |entity: usize| found.entities[entity].kind.clone();
            found.relations.iter().map(|r| (kind(r.head), kind(r.tail))).collect::<Vec<_>>()
        };
        found.iter().flat_map(of).collect::<Vec<_>>()
    };
    let (any, trained) = (found(SignatureFilter::Any), found(SignatureFilter::Trained));
    let is_trained = |pair: &&(String, String)| (&*pair.0, &*pair.1) == ("Peop", "Loc");
    assert!(any.iter().any(|pair| !is_trained(&pair)), "a threshold of 0 lets other pairs through");
    assert_eq!(trained, any.iter().filter(is_trained).cloned().collect::<Vec<_>>());
    let only = found(SignatureFilter::Only(vec![Signature::new("Loc", "Live_In", "Peop")]));
    assert!(!only.is_empty() && only.iter().all(|pair| (&*pair.0, &*pair.1) == ("Loc", "Peop")));
}

#[test]
fn invalid_options_are_refused_with_what_is_expected() {
    let message = |options| plain().with_options(options).unwrap_err().to_string();
    let default = ExtractOptions::default;
    assert_eq!(
        message(ExtractOptions { entity_threshold: 1.5, ..default() }),
        "configuration: entity_threshold: expected a number from 0 to 1, found 1.5"
    );
    assert!(message(ExtractOptions { relation_threshold: Some(f64::NAN), ..default() }).ends_with("found NaN"));
    assert!(message(ExtractOptions { n_best: 65, ..default() }).contains("expected at most 64"));
    assert!(message(ExtractOptions { max_tokens: 0, ..default() }).contains("expected at least 1"));
    let unknown = SignatureFilter::Only(vec![Signature::new("Peop", "Live_In", "City")]);
    assert_eq!(
        message(ExtractOptions { signatures: unknown, ..default() }),
        "configuration: signatures: expected types of the model, found Live_In(Peop, City)"
    );
    let folder = tempfile::tempdir().unwrap();
    model().save(folder.path(), &()).unwrap();
    fs::remove_file(folder.path().join("signatures.json")).unwrap();
    let old = Extractor::new(load(folder.path()).unwrap());
    let trained = ExtractOptions { signatures: SignatureFilter::Trained, ..default() };
    assert!(old.with_options(trained).unwrap_err().to_string().contains("expected a model with signatures"));
}

#[test]
fn entities_alone_and_the_best_tag_sequences() {
    let options = ExtractOptions { relations: false, n_best: 3, ..ExtractOptions::default() };
    let found = extractor(options).extract_sentences(&sentences()).unwrap();
    for (found, plain) in found.iter().zip(plain().extract_sentences(&sentences()).unwrap()) {
        assert!(found.relations.is_empty() && found.entities == plain.entities && plain.n_best.is_empty());
        assert_eq!(found.n_best.len(), 3);
        let best: Vec<_> = found.n_best[0].entities.iter().map(|e| (&*e.kind, e.start, e.end)).collect();
        assert_eq!(best, places(found));
        let probabilities: Vec<f64> = found.n_best.iter().map(|sequence| sequence.probability).collect();
        assert!(probabilities.is_sorted_by(|a, b| a >= b) && probabilities.iter().sum::<f64>() <= 1.0 + 1e-9);
        assert!(probabilities[0] > 0.0);
    }
}

#[test]
fn relations_between_given_entities() {
    let plain = plain();
    // The entities that the model finds, given in its order, have the relations that it finds.
    for found in plain.extract_sentences(&sentences()).unwrap() {
        let mut given = Sentence::from_tokens("1", found.tokens.clone());
        given.entities = found.entities.iter().map(|e| Entity::new(&e.kind, e.start..e.end)).collect();
        let related = plain.relate_sentences(std::slice::from_ref(&given)).unwrap().remove(0);
        assert_eq!((&related.entities, &related.relations), (&found.entities, &found.relations));
    }
    // Other orders and nested entities are kept as they are.
    let mut given = sentences()[0].clone();
    given.entities = vec![Entity::new("Loc", 4..5), Entity::new("Peop", 0..1), Entity::new("Loc", 3..5)];
    let related = plain.relate_sentences(std::slice::from_ref(&given)).unwrap().remove(0);
    assert_eq!(places(&related), [("Loc", 4, 5), ("Peop", 0, 1), ("Loc", 3, 5)]);
    assert!(related.entities.iter().all(|entity| (0.0..=1.0).contains(&entity.confidence)));
    assert!(related.relations.iter().any(|relation| (relation.head, relation.tail) == (1, 0)));
    given.entities[0].kind = "City".into();
    assert!(plain.relate_sentences(&[given]).unwrap_err().to_string().contains("expected one of the types Peop, Loc"));

    let text = "Say: Ann lives in lovely Rome. Bo of Oslo sings.";
    let entity = |kind: &str, start, end| GivenEntity { kind: kind.into(), start, end };
    let given = [entity("Loc", 37, 41), entity("Peop", 5, 8), entity("Loc", 25, 29), entity("Peop", 31, 33)];
    let document = plain.relate_document(text, &given).unwrap();
    let texts: Vec<(&str, usize)> = document.entities.iter().map(|e| (&*e.text, e.sentence)).collect();
    assert_eq!(texts, [("Ann", 0), ("Rome", 0), ("Bo", 1), ("Oslo", 1)]);
    let error = plain.relate_document(text, &[entity("Peop", 5, 7)]).unwrap_err();
    assert!(matches!(error, ModelError::GivenEntity { index: 0, start: 5, end: 7, .. }), "{error}");
}

#[test]
fn a_long_sentence_is_read_in_windows_that_are_counted() {
    let words: Vec<String> =
        (0..12).flat_map(|_| ["Ann", "lives", "in", "lovely", "Rome", "."]).map(String::from).collect();
    let long = Sentence::from_tokens("1", words);
    let windowed = extractor(ExtractOptions { max_tokens: 24, ..ExtractOptions::default() });
    let found = windowed.extract_sentences(std::slice::from_ref(&long)).unwrap().remove(0);
    assert_eq!((found.windows, found.tokens.len()), (4, 72));
    let whole = plain().extract_sentences(std::slice::from_ref(&long)).unwrap().remove(0);
    assert_eq!(whole.windows, 1);
    assert!(found.entities.is_sorted_by(|a, b| a.end <= b.start), "entities do not overlap");
    let cities = places(&found).into_iter().filter(|place| place.0 == "Loc").map(|place| place.1);
    assert!(cities.eq((4..72).step_by(6)), "each is found once: {:?}", places(&found));
    assert!(found.relations.iter().all(|r| r.head < found.entities.len() && r.tail < found.entities.len()));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["windows"], 4);
    assert!(serde_json::to_value(&whole).unwrap().get("windows").is_none());

    let refusing = extractor(ExtractOptions {
        max_tokens: 24,
        long_sentences: LongSentences::Refuse,
        ..ExtractOptions::default()
    });
    let error = refusing.extract_sentences(std::slice::from_ref(&long)).unwrap_err().to_string();
    assert_eq!(error, "sentence of 72 tokens exceeds the maximum of 24 (max_tokens)");
    let narrow = extractor(ExtractOptions { max_characters: 3, ..ExtractOptions::default() });
    assert!(matches!(narrow.check(&long), Err(ModelError::LongToken { characters: 6, most: 3 })));

    let mut given = long;
    given.entities = vec![Entity::new("Loc", 40..41), Entity::new("Peop", 0..1), Entity::new("Peop", 36..37)];
    let related = windowed.relate_sentences(std::slice::from_ref(&given)).unwrap().remove(0);
    assert_eq!(places(&related), [("Loc", 40, 41), ("Peop", 0, 1), ("Peop", 36, 37)]);
    given.entities.push(Entity::new("Loc", 0..60));
    assert!(
        windowed.relate_sentences(&[given]).unwrap_err().to_string().starts_with("entities[3]: expected an entity")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn offsets_of_documents_are_exact_in_all_units(
        parts in prop::collection::vec(prop::sample::select(vec![
            "Ann", "Rome", " of ", " lives in lovely ", ". ", "\t", "\r\n", "\n\n", "👩\u{200D}🚀", "🇳🇴", "e\u{301}", "東京の", "。", "دانيال ",
            "שלום", "\u{200B}", "\u{FEFF}", "\u{AD}", "Bo", " ", "!", "𝄞", "Oslo sings",
        ]), 0..40),
    ) {
        let text = parts.concat();
        let document = plain().extract_document(&text).unwrap();
        let (chars, wide): (Vec<char>, Vec<u16>) = (text.chars().collect(), text.encode_utf16().collect());
        let check = |span: &cman_model::TextSpan, part: &str| {
            assert_eq!(&text[span.bytes.clone()], part);
            assert_eq!(chars[span.chars.clone()].iter().collect::<String>(), part);
            assert_eq!(String::from_utf16(&wide[span.utf16.clone()]).unwrap(), part);
        };
        for entity in &document.entities {
            check(&entity.span, &entity.text);
            let sentence = &document.sentences[entity.sentence].span.bytes;
            assert!(sentence.start <= entity.span.bytes.start && entity.span.bytes.end <= sentence.end);
        }
        let found = plain().extract(&text).unwrap();
        assert_eq!(found.len(), document.sentences.len());
        for (sentence, found) in document.sentences.iter().zip(&found) {
            check(&sentence.span, &found.text);
        }
        assert!(document.relations.iter().all(|r| {
            document.entities[r.head].sentence == document.entities[r.tail].sentence
        }));
    }
}

fn about() -> About {
    About { name: "people".into(), licence: "CC0-1.0".into(), ..About::default() }
}

#[test]
fn a_package_gives_the_predictions_of_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, file) = (folder.path().join("model"), folder.path().join("people.cman"));
    let device = Device::flex();
    model().save(&directory, &serde_json::json!({"dev": 1})).unwrap();
    let pack = |precision| {
        let mut packing = Packing::new(&directory, &device, &LoadOptions::default(), precision, about()).unwrap();
        packing.add(Measured { data: "test.json".into(), sentences: 12, entities: 99.0, relations: 98.0 });
        let expected = packing.model(&device).unwrap();
        (packing.write(&file).unwrap(), expected)
    };
    let (card, _) = pack(Precision::Single);
    assert_eq!(Card::read(&file).unwrap(), card);
    assert_eq!((card.about.name.as_str(), &card.scores["dev"]), ("people", &serde_json::json!(1)));
    let packed = load(&file).unwrap();
    assert!(bits(packed.network()) == bits(model().network()));
    assert_eq!(packed.signatures(), model().signatures());
    assert_eq!(packed.predict(&sentences(), 4).unwrap(), model().predict(&sentences(), 4).unwrap());
    let bytes = fs::read(&file).unwrap();
    assert!(
        bits(Model::from_package(&bytes, &device, &LoadOptions::default()).unwrap().network())
            == bits(packed.network())
    );
    pack(Precision::Single);
    assert!(fs::read(&file).unwrap() == bytes, "equal models give equal packages");

    let (card, expected) = pack(Precision::Half);
    assert_eq!(card.precision, Precision::Half);
    assert!(fs::metadata(&file).unwrap().len() < bytes.len() as u64);
    let half = load(&file).unwrap();
    assert!(bits(half.network()) == bits(expected.network()) && bits(half.network()) != bits(packed.network()));
    assert!(
        card.to_string().contains("half precision") && card.to_string().contains("entities 99.00, relations 98.00")
    );
}

#[test]
fn a_package_contains_the_encoder() {
    let (folder, encoder) = (tempfile::tempdir().unwrap(), encoder_copy("bert"));
    let path = format!("encoder.path={}", encoder.path().display());
    let device = Device::flex();
    for (fine_tune, precision) in [(false, Precision::Single), (true, Precision::Single), (false, Precision::Half)] {
        let tune = format!("encoder.fine_tune={fine_tune}");
        let model = train(&["train.epochs=1", "encoder.kind=bert", &path, &tune]);
        let (directory, file) = (folder.path().join("model"), folder.path().join("people.cman"));
        model.save(&directory, &()).unwrap();
        let packing = Packing::new(&directory, &device, &LoadOptions::default(), precision, about()).unwrap();
        let expected = packing.model(&device).unwrap().predict(&sentences(), 4).unwrap();
        packing.write(&file).unwrap();
        // On another machine, neither the directory nor the encoder is there.
        let moved = encoder.path().with_extension("moved");
        fs::rename(encoder.path(), &moved).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        let loaded = load(&file);
        fs::rename(&moved, encoder.path()).unwrap();
        let loaded = loaded.unwrap();
        assert_eq!(loaded.predict(&sentences(), 4).unwrap(), expected);
        assert_eq!(bits(loaded.network()) == bits(model.network()), precision == Precision::Single, "{fine_tune}");
    }
}

#[test]
fn damaged_packages_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, file) = (folder.path().join("model"), folder.path().join("people.cman"));
    model().save(&directory, &()).unwrap();
    let packing = Packing::new(&directory, &Device::flex(), &LoadOptions::default(), Precision::Single, about());
    packing.unwrap().write(&file).unwrap();
    let whole = fs::read(&file).unwrap();
    let message = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        load(&file).unwrap_err()
    };
    let name = file.display();
    let mut changed = whole.clone();
    let last = changed.iter().rposition(|&byte| byte != 0).unwrap();
    changed[last] ^= 1;
    let error = message(&changed);
    assert!(error.starts_with(&format!("{name}: vocabularies.json is damaged: expected ")), "{error}");
    assert!(message(&whole[..whole.len() / 2]).starts_with(&format!("{name}: ")));
    for bytes in [&b""[..], b"{}", &[0; 2048], b"\x1f\x8b\x08\0\0\0\0\0"] {
        assert_eq!(message(bytes), format!("{name}: expected a model directory or a package of `cman package`"));
    }
    let evil = String::from_utf8_lossy(&whole).find("config.toml").unwrap();
    let mut escaped = whole.clone();
    escaped[evil..evil + 11].copy_from_slice(b"../conf.tom");
    assert!(message(&escaped).contains("expected the name of a file inside of the package"));
}

#[test]
fn temperatures_are_fitted_saved_and_applied() {
    let judged = JudgedPredictions::of(model(), &sentences()).unwrap();
    assert!(judged.entities.len() >= 20 && judged.relations.len() >= 10);
    let calibration = Calibration { entities: 2.0, relations: 0.5 };
    let folder = tempfile::tempdir().unwrap();
    model().save(folder.path(), &()).unwrap();
    Model::save_calibration(folder.path(), calibration).unwrap();
    let calibrated = load(folder.path()).unwrap();
    assert_eq!(calibrated.calibration(), calibration);
    let found = Extractor::new(calibrated.clone()).extract_sentences(&sentences()).unwrap();
    for (found, plain) in found.iter().zip(plain().extract_sentences(&sentences()).unwrap()) {
        assert_eq!(places(found), places(&plain));
        for (a, b) in found.entities.iter().zip(&plain.entities) {
            assert_eq!(a.confidence, calibration.entity(b.confidence));
        }
        assert_eq!(found.relations.len(), plain.relations.len());
        for (a, b) in found.relations.iter().zip(&plain.relations) {
            assert_eq!(a.confidence, calibration.relation(b.confidence));
        }
    }
    // Thresholds are those of calibrated confidences.
    let options = ExtractOptions { entity_threshold: 0.9, ..ExtractOptions::default() };
    let certain =
        Extractor::new(calibrated.clone()).with_options(options).unwrap().extract_sentences(&sentences()).unwrap();
    let kept = found.iter().flat_map(|e| &e.entities).filter(|e| e.confidence >= 0.9).count();
    assert_eq!(certain.iter().map(|e| e.entities.len()).sum::<usize>(), kept);
    // A model that is saved again keeps them, one without has no file.
    calibrated.save(folder.path(), &()).unwrap();
    assert_eq!(load(folder.path()).unwrap().calibration(), calibration);
    model().save(folder.path(), &()).unwrap();
    assert_eq!(load(folder.path()).unwrap().calibration(), Calibration::default());
    fs::write(folder.path().join("calibration.json"), r#"{"entities": -1.0, "relations": 1.0}"#).unwrap();
    assert!(load(folder.path()).unwrap_err().ends_with("entities: expected a positive temperature, found -1"));
}
