//! Property tests: writing and reading give back the same data.

use std::{collections::HashSet, io::BufReader};

use cman_data::{
    DataError, Entity, OnError, ReaderBuilder, Relation, Sentence, Vocabularies, Vocabulary, write_multihead,
    write_spert,
};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Vec<Sentence> {
    ReaderBuilder::new().from_reader(bytes, "x").unwrap().collect::<Result<_, _>>().unwrap()
}

/// Sentences whose entities may overlap. The same tokens have one type.
fn sentences() -> impl Strategy<Value = Vec<Sentence>> {
    let word = prop_oneof![Just("a".to_owned()), r#"[\\"'\[\]{},#é\t\n 0-9]{1,4}"#, "[^\0]{1,5}"];
    let sentence = ("\\PC{0,8}", prop::collection::vec(word, 1..8)).prop_flat_map(|(id, words)| {
        let n = words.len();
        let entity = (0..n, 1..=n, "[A-C]")
            .prop_map(move |(start, length, kind)| Entity::new(kind, start..(start + length).min(n)));
        let pairs = prop::collection::vec((0usize..9, 0usize..9, "[R-T]"), 0..6);
        (Just((id, words)), prop::collection::btree_set(entity, 0..4), pairs).prop_map(
            |((id, words), entities, pairs)| {
                let mut sentence = Sentence::from_tokens(id, words);
                sentence.entities = entities.into_iter().collect();
                let mut spans = HashSet::new();
                sentence.entities.retain(|entity| spans.insert(entity.span()));
                let n = sentence.entities.len();
                for (head, tail, kind) in pairs {
                    let relation = Relation::new(kind, head % n.max(1), tail % n.max(1));
                    if relation.head != relation.tail && !sentence.relations.contains(&relation) {
                        sentence.relations.push(relation);
                    }
                }
                sentence
            },
        )
    });
    prop::collection::vec(sentence, 1..4)
}

/// Reduces a sentence to what the multi-head table can express, in its order.
fn expressible(mut sentence: Sentence) -> Sentence {
    sentence.id = format!("n{}", sentence.id.as_str().replace(['\n', '\r', ' '], "_")).trim().into();
    for token in &mut sentence.tokens {
        token.text = token.text.replace(['\t', '\n'], "_");
    }
    let mut end = 0;
    let kept: Vec<bool> = sentence
        .entities
        .iter()
        .map(|entity| {
            let keep = entity.start >= end;
            end = if keep { entity.end } else { end };
            keep
        })
        .collect();
    let new_index = |i: usize| kept[..i].iter().filter(|&&kept| kept).count();
    sentence.relations.retain(|relation| kept[relation.head] && kept[relation.tail]);
    for relation in &mut sentence.relations {
        (relation.head, relation.tail) = (new_index(relation.head), new_index(relation.tail));
    }
    sentence.relations.sort_by_key(|relation| relation.head);
    let mut kept = kept.into_iter();
    sentence.entities.retain(|_| kept.next().unwrap());
    sentence
}

proptest! {
    #[test]
    fn spert(sentences in sentences(), capacity in 1usize..50) {
        let mut bytes = Vec::new();
        write_spert(&sentences, &mut bytes).unwrap();
        prop_assert_eq!(&read(&bytes), &sentences);
        let reader = BufReader::with_capacity(capacity, bytes.as_slice());
        let reread: Result<Vec<_>, DataError> = ReaderBuilder::new().from_reader(reader, "x").unwrap().collect();
        prop_assert_eq!(reread.unwrap(), sentences);
    }

    #[test]
    fn multihead(sentences in sentences(), capacity in 1usize..50) {
        let mut sentences: Vec<Sentence> = sentences.into_iter().map(expressible).collect();
        for sentence in &mut sentences {
            sentence.entities.sort_by_key(|entity| entity.start);
        }
        let mut bytes = Vec::new();
        write_multihead(&sentences, &mut bytes).unwrap();
        prop_assert_eq!(&read(&bytes), &sentences);
        let reader = BufReader::with_capacity(capacity, bytes.as_slice());
        let reread: Result<Vec<_>, DataError> = ReaderBuilder::new().from_reader(reader, "x").unwrap().collect();
        prop_assert_eq!(reread.unwrap(), sentences);
    }

    #[test]
    fn readers_do_not_panic_on_any_bytes(
        start in prop_oneof![Just(""), Just("["), Just("[{\"tokens\": "), Just("#doc 1\n"), Just("#doc 1\n0\ta\t")],
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let bytes = [start.as_bytes(), &bytes].concat();
        if let Ok(reader) = ReaderBuilder::new().on_error(OnError::Skip).from_reader(bytes.as_slice(), "x") {
            prop_assert!(reader.count() <= bytes.len());
        }
    }

    #[test]
    fn readers_do_not_panic_on_modified_files(
        multihead in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..4),
    ) {
        let mut sentence = Sentence::from_tokens("7", ["a", "b", "c"]);
        sentence.entities = vec![Entity::new("X", 0..1), Entity::new("Y", 1..3)];
        sentence.relations = vec![Relation::new("R", 0, 1)];
        let mut bytes = Vec::new();
        let two = [&sentence, &sentence];
        if multihead { write_multihead(two, &mut bytes).unwrap() } else { write_spert(two, &mut bytes).unwrap() }
        for (index, byte, change) in changes {
            let i = index.index(bytes.len());
            match change {
                0 => bytes[i] = byte,
                1 => bytes.insert(i, byte),
                _ => drop(bytes.remove(i)),
            }
        }
        if let Ok(reader) = ReaderBuilder::new().on_error(OnError::Skip).from_reader(bytes.as_slice(), "x") {
            for sentence in reader.flatten() {
                prop_assert!(sentence.entities.iter().all(|entity| entity.end <= sentence.len()));
            }
        }
    }

    #[test]
    fn vocabularies(words in prop::collection::vec("\\PC{0,3}", 0..20), lowercase in any::<bool>()) {
        let vocabulary = Vocabulary::build(words.iter().map(String::as_str));
        let json = serde_json::to_string(&vocabulary).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Vocabulary>(&json).unwrap(), &vocabulary);
        for word in &words {
            prop_assert_eq!(vocabulary.name(vocabulary.id(word).unwrap()), word);
        }
        let words: Vec<&String> = words.iter().filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Ok(());
        }
        let sentence = Sentence::from_tokens("1", words.iter().map(|word| word.as_str()));
        let vocabularies = Vocabularies::build(std::slice::from_ref(&sentence), lowercase);
        let encoded = vocabularies.encode_tokens(&sentence).unwrap();
        for (i, word) in words.iter().enumerate() {
            let name = vocabularies.words.name(encoded.words[i]);
            prop_assert_eq!(name, if lowercase { word.to_lowercase() } else { word.to_string() });
            let chars: String = encoded.chars[i].iter().map(|&id| vocabularies.chars.name(id)).collect();
            prop_assert_eq!(&chars, *word);
        }
    }
}

#[test]
fn inexpressible_sentences_are_errors() {
    let good = || {
        let mut sentence = Sentence::from_tokens("1", ["a", "b", "c"]);
        sentence.entities = vec![Entity::new("X", 0..1), Entity::new("Y", 1..3)];
        sentence.relations = vec![Relation::new("R", 0, 1)];
        sentence
    };
    type Change = fn(&mut Sentence);
    let cases: [(Change, &str); 11] = [
        (|s| s.id = "".into(), r#"id: the multihead format cannot express the id """#),
        (|s| s.id = " 1".into(), r#"id: the multihead format cannot express the id " 1""#),
        (|s| s.id = "1\n2".into(), r#"id: the multihead format cannot express the id "1\n2""#),
        (
            |s| s.tokens[1].text = "b\tc".into(),
            r#"tokens[1]: the multihead format cannot express a tab or line end in "b\tc""#,
        ),
        (
            |s| s.tokens[1].text = "\n".into(),
            r#"tokens[1]: the multihead format cannot express a tab or line end in "\n""#,
        ),
        (
            |s| s.entities[0].kind = "X\t".into(),
            r#"entities[0].type: the multihead format cannot express a tab or line end in "X\t""#,
        ),
        (
            |s| s.relations[0].kind = "N".into(),
            r#"relations[0].type: the multihead format cannot express a relation named "N""#,
        ),
        (
            |s| s.relations[0].kind = "it's".into(),
            r#"relations[0].type: the multihead format cannot express a quote, backslash, comma, tab or line end in "it's""#,
        ),
        (
            |s| s.relations[0].kind = "a,b".into(),
            r#"relations[0].type: the multihead format cannot express a quote, backslash, comma, tab or line end in "a,b""#,
        ),
        (
            |s| s.entities[0].end = 2,
            "entities[1]: the multihead format cannot express an entity that shares a token with entities[0]",
        ),
        (
            |s| s.entities = vec![Entity::new("X", 2..3), Entity::new("Y", 0..3)],
            "entities[0]: the multihead format cannot express an entity that shares a token with entities[1]",
        ),
    ];
    for (change, message) in cases {
        let mut bad = good();
        change(&mut bad);
        let mut bytes = Vec::new();
        let error = write_multihead([good(), bad.clone()], &mut bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("record 2, {message}"));
        assert!(matches!(error, DataError::Inexpressible { .. }));
        let mut bytes = Vec::new();
        write_spert([&bad], &mut bytes).unwrap();
        assert_eq!(read(&bytes), [bad]);
    }
}

#[test]
fn both_writers_reject_invalid_sentences() {
    type Change = fn(&mut Sentence);
    let cases: [(Change, &str); 4] = [
        (|s| s.tokens.clear(), "tokens: expected at least one token, found none"),
        (|s| s.tokens[0].text.clear(), "tokens[0]: expected a non-empty token, found \"\""),
        (|s| s.entities[0].end = 3, "entities[0].end: expected at most 2 (the number of tokens), found 3"),
        (
            |s| s.relations.push(Relation::new("R", 0, 0)),
            "relations[0].tail: expected an entity other than the head, found 0",
        ),
    ];
    for (change, message) in cases {
        let mut sentence = Sentence::from_tokens("1", ["a", "b"]);
        sentence.entities = vec![Entity::new("X", 0..1)];
        change(&mut sentence);
        for error in [write_spert([&sentence], Vec::new()), write_multihead([&sentence], Vec::new())] {
            assert_eq!(error.unwrap_err().to_string(), format!("record 1, {message}"));
        }
    }
}

#[test]
fn no_sentences_make_an_empty_file_and_failures_are_errors() {
    let none: [Sentence; 0] = [];
    let (mut spert, mut multihead) = (Vec::new(), Vec::new());
    write_spert(&none, &mut spert).unwrap();
    write_multihead(&none, &mut multihead).unwrap();
    assert_eq!((spert.as_slice(), multihead.as_slice()), (b"[]\n".as_slice(), b"".as_slice()));
    let sentence = Sentence::from_tokens("1", ["a"]);
    let mut full = [0; 5];
    assert!(matches!(write_spert([&sentence], &mut full[..]), Err(DataError::Io { .. })));
    assert!(matches!(write_multihead([&sentence], &mut full[..]), Err(DataError::Io { .. })));
}
