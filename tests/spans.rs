//! The offsets of an extractor select exactly the reported text in the input.

use std::sync::LazyLock;

use cman::{Config, DeviceKind, Extraction, Extractor, Learner, TrainingData, sample};
use proptest::prelude::*;

/// A model that predicts entities in any text: almost untrained, with scaled-up word embeddings and tag scores.
static EXTRACTOR: LazyLock<Extractor> = LazyLock::new(|| {
    let corpus = sample::corpus().expect("the sample corpus");
    let data = TrainingData { schema: &corpus.schema, train: &corpus.train.sentences[..8], dev: &[] };
    let small = ["train.epochs=1", "model.hidden=8", "model.relation.hidden=8", "model.character.width=8"];
    let config = Config::load(None, &small.map(String::from)).expect("valid settings");
    let device = DeviceKind::compiled()[0].device().expect("compiled in");
    let model = Learner::new(config, data, None, &device).expect("a learner").run(&mut ()).expect("a model").model;
    let mut network = model.network().clone();
    let (word, emission) = (&mut network.embedding.word, network.crf.scorer.emission_mut());
    word.trained = word.trained.clone().map(|table| table * 30.0);
    emission.weight = emission.weight.clone().map(|weight| weight * 300.0);
    Extractor::new(model.with_network(network))
});

/// Checks all offsets for a text. Returns the number of entities.
fn check(input: &str) -> usize {
    let chars: Vec<char> = input.chars().collect();
    let slice = |range: std::ops::Range<usize>| chars[range].iter().collect::<String>();
    let extractions: Vec<Extraction> = EXTRACTOR.extract(input).expect("any text is valid input");
    for sentence in &extractions {
        let length = sentence.text.chars().count();
        assert_eq!(sentence.text, slice(sentence.offset..sentence.offset + length), "{input:?}");
        for entity in &sentence.entities {
            let range = sentence.offset + entity.char_start..sentence.offset + entity.char_end;
            assert_eq!(entity.text, slice(range), "{input:?}");
            assert!(entity.char_end <= length, "{input:?}");
            assert!(entity.text.starts_with(&sentence.tokens[entity.start]), "{input:?}: {entity:?}");
            assert!(entity.text.ends_with(&sentence.tokens[entity.end - 1]), "{input:?}: {entity:?}");
        }
        assert!(sentence.relations.iter().all(|r| r.head.max(r.tail) < sentence.entities.len()));
    }
    extractions.iter().map(|sentence| sentence.entities.len()).sum()
}

#[test]
fn offsets_are_exact_in_any_script() {
    let texts = [
        ("ASCII", "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan. She left."),
        ("accented", "Zoë Šimková fährt nach Köln. Renée aussi."),
        ("combining", "Rene\u{301}e Cafe\u{301} a\u{308}\u{323}\u{301} Ko\u{308}ln. Zoe\u{308} ran."),
        ("CJK", "東京の田中さんは大阪へ行った。 김철수 씨는 서울에 산다. 王先生在北京。"),
        ("right to left", "דנה גרה בחיפה. دانيال يعيش في القاهرة، مصر."),
        ("emoji", "👩\u{200D}🚀 Ann 🇳🇴 of Oslo 😀👍🏽. ❤\u{FE0F} Bo 🏴\u{E0067}\u{E007F} ran."),
        ("tabs", "Ann\tLee\t\tof\tRome.\tBo\tran."),
        ("line ends", "Ann Lee\r\nof Rome.\r\n\r\nBo ran.\rCy too.\n"),
        (
            "zero width",
            "Ann\u{200B}Lee \u{200C}of\u{200D} Rome\u{FEFF}. \u{2060}Bo\u{AD}ran\u{200E} \u{202E}Cy\u{202C}.",
        ),
    ];
    for (name, text) in texts {
        assert!(check(text) > 0, "no entities in {name}");
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "Ann",
            "Mr.",
            "U.S.",
            "don't",
            "5,000",
            "half-inch",
            "\"",
            "'",
            "...",
            "--",
            ".",
            "!",
            "?",
            ",",
            "(",
            ")",
            "Zoë",
            "Köln",
            "e\u{301}",
            "\u{301}",
            "Ko\u{308}ln",
            "東京",
            "。",
            "，",
            "서울",
            "שלום",
            "القاهرة",
            "؟",
            "😀",
            "👩\u{200D}🚀",
            "🇳🇴",
            "👍🏽",
            "\u{FE0F}",
            "\u{200B}",
            "\u{200D}",
            "\u{FEFF}",
            "\u{AD}",
            "\u{202E}",
            "\0",
            "\t",
            "\r\n",
            "\n\n",
            "\n",
            "\r",
            "\u{2028}",
            "\u{85}",
            "\u{3000}",
            "\u{A0}",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        "[a-zA-Z0-9]{1,8}",
    ];
    let spaced = (piece, prop::bool::weighted(0.6)).prop_map(|(piece, space)| piece + if space { " " } else { "" });
    prop::collection::vec(spaced, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn offsets_are_exact_in_random_text(text in pieces()) {
        check(&text);
    }
}
