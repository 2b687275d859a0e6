//! Sentences of every kind: in batches, empty, long, with unusual tokens, and with states that carry over.

use cman_encoder::{ContextualEncoder, Elmo, ElmoState};

use crate::{
    common::cpu_devices,
    fixture::{TinyCopy, load_tiny, slices, tiny},
};

#[test]
fn elmo_vectors_do_not_depend_on_other_sentences() {
    for device in cpu_devices() {
        let elmo = Elmo::load_dir(&tiny(), &device).unwrap();
        let words = ["one", "two", "Grüße", "", "x", ".", "of"];
        let sentences: Vec<Vec<&str>> =
            (0..150).map(|i| (0..i * 7 % 23).map(|j| words[(i + j * j) % words.len()]).collect()).collect();
        let together = elmo.encode(&sentences.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(together.len(), sentences.len());
        for (sentence, vectors) in sentences.iter().zip(together) {
            assert_eq!(elmo.encode(&[sentence.as_slice()]), [vectors], "{sentence:?}");
        }
        assert!(elmo.encode::<&str>(&[]).is_empty());
    }
}

#[test]
fn elmo_reads_the_first_bytes_of_a_long_token_and_an_empty_one() {
    let elmo = load_tiny();
    let long = "x".repeat(10_000);
    let vectors = |token: &str| elmo.encode(&[&["a", token, "b"]]).remove(0);
    // Twelve ids, two of which are the marks of the word.
    assert_eq!(vectors(&long), vectors(&long[..10]));
    assert_ne!(vectors(&long), vectors(&long[..9]));
    assert_eq!(vectors("").len(), 3 * 3 * 12);
    assert_ne!(vectors(""), vectors("x"));
    assert!(vectors("").iter().all(|x| x.is_finite()));
}

#[test]
fn elmo_encodes_a_sentence_of_five_thousand_tokens() {
    let elmo = load_tiny();
    let words: Vec<String> = (0..5000).map(|i| format!("w{}", i % 700)).collect();
    let long = elmo.encode(&[&words[..]]).remove(0);
    assert_eq!(long.len(), 5000 * 3 * 12);
    assert!(long.iter().all(|x| x.is_finite()));
    // The forward states of the first tokens do not depend on later tokens.
    let short = elmo.encode(&[&words[..9]]).remove(0);
    for (a, b) in long.chunks_exact(12).zip(short.chunks_exact(12)) {
        assert_eq!(a[..6], b[..6]);
    }
}

#[test]
fn elmo_carries_state_only_on_request() {
    let elmo = load_tiny();
    let batch: &[&[&str]] = &[&["a", "b"], &["c"]];
    let alone = elmo.encode(batch);
    let mut state = ElmoState::default();
    assert_eq!(elmo.encode_with_state(batch, &mut state), alone);
    assert_ne!(elmo.encode_with_state(batch, &mut state), alone);
    assert_eq!(elmo.encode(batch), alone);
}

#[test]
#[should_panic(expected = "a state of this model")]
fn elmo_refuses_the_state_of_a_model_with_other_sizes() {
    let batch: &[&[&str]] = &[&["a", "b"]];
    let mut state = ElmoState::default();
    load_tiny().encode_with_state(batch, &mut state);
    let copy = TinyCopy::with_one_layer();
    copy.load().unwrap().encode_with_state(batch, &mut state);
}

#[test]
fn elmo_is_a_contextual_encoder() {
    let elmo = load_tiny();
    let sentences = [vec!["a".to_owned(), "b".to_owned()], vec![]];
    let expected = elmo.encode(&slices(&sentences));
    let encoder: Box<dyn ContextualEncoder> = Box::new(elmo);
    assert_eq!((encoder.n_layers(), encoder.width()), (3, 12));
    assert_eq!(encoder.encode(&slices(&sentences)).unwrap(), expected);
}
