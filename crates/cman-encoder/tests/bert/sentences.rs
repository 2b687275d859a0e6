//! Sentences of every kind: in batches, long, with unusual words.

use burn::tensor::{Device, Tensor};
use burn_ragged::{Key, Mode, Shard};
use cman_encoder::{Bert, ContextualEncoder, Pieces, Pooling};

use crate::golden::{TINY, tiny};

fn load(name: &str, pooling: Pooling) -> Bert {
    Bert::load_dir(&tiny(name), pooling, &Device::flex()).unwrap()
}

fn values(x: Tensor<4>) -> Vec<f32> {
    x.try_into_vec_as().unwrap()
}

#[test]
fn a_batch_equals_its_sentences_alone_and_is_zero_at_padding() {
    let text = ["unbelievable weather in Lisbon", "a", "the ferry left on Monday at 10:45 p.m. from Zürich"];
    for name in TINY {
        for pooling in [Pooling::First, Pooling::Mean, Pooling::Max] {
            let bert = load(name, pooling);
            let pieces: Vec<Pieces> =
                text.iter().map(|text| bert.cut(&text.split(' ').collect::<Vec<_>>()).unwrap()).collect();
            let batch = bert.forward(&pieces.iter().collect::<Vec<_>>(), Mode::Evaluate);
            let [_, steps, layers, width] = batch.dims();
            assert_eq!((steps, layers, width), (10, bert.n_layers(), bert.width()));
            let size = layers * width;
            for (row, pieces) in values(batch).chunks(steps * size).zip(&pieces) {
                let alone = values(bert.forward(&[pieces], Mode::Evaluate));
                let (real, padding) = row.split_at(alone.len());
                assert!(real.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-5), "{name} {pooling:?}");
                assert!(padding.iter().all(|&x| x == 0.0));
                assert_eq!(bert.windows(pieces).len(), 1);
            }
        }
    }
}

#[test]
fn encode_equals_forward() {
    let bert = load("bert", Pooling::Mean);
    let sentences: Vec<Vec<String>> = (1..300).map(|n| vec!["ferry".to_owned(); n % 23 + 1]).collect();
    let found = bert.encode(&sentences).unwrap();
    for i in [0, 7, 298] {
        let pieces = bert.cut(&sentences[i].iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        let expected = values(bert.forward(&[&pieces], Mode::Evaluate));
        assert_eq!(found[i].len(), expected.len());
        assert!(found[i].iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "sentence {i}");
    }
}

#[test]
fn unusual_words_have_vectors() {
    let long = "x".repeat(10_000);
    for name in TINY {
        for pooling in [Pooling::First, Pooling::Mean, Pooling::Max] {
            let bert = load(name, pooling);
            let words = ["the", &long, "\u{1}\u{200b}", "\u{0}", " ", "ferry", "[CLS]", "</s>", "🦀"];
            let pieces = bert.cut(&words).unwrap();
            assert_eq!(pieces.counts.len(), words.len());
            assert!(!pieces.counts.contains(&0));
            let vectors = bert.encode(&[words.to_vec()]).unwrap().remove(0);
            assert_eq!(vectors.len(), words.len() * bert.n_layers() * bert.width());
            assert!(vectors.iter().all(|x| x.is_finite()));
        }
    }
}

#[test]
fn a_sentence_of_5000_words_is_read_in_windows_and_distant_words_have_no_effect() {
    let bert = load("bert", Pooling::First);
    let words: Vec<String> = (0..5000).map(|i| ["the", "ferry", "left", "lisbon"][i * i % 7 % 4].to_owned()).collect();
    let mut other = words.clone();
    other[4000] = "japan".into();
    let found = bert.encode(&[words.clone(), other]).unwrap();
    let size = bert.n_layers() * bert.width();
    assert_eq!(found[0].len(), 5000 * size);
    assert!(found[0].iter().all(|x| x.is_finite()));
    let differs = |word: usize| (word * size..(word + 1) * size).any(|i| found[0][i] != found[1][i]);
    assert!((0..3960).chain(4040..5000).all(|word| !differs(word)));
    assert!(differs(4000) && differs(3995) && differs(4005));
    // The first words equal those of a sentence that is one window long.
    let alone = bert.encode(&[words[..38].to_vec()]).unwrap().remove(0);
    assert!((0..19 * size).all(|i| (found[0][i] - alone[i]).abs() < 1e-5));
}

#[test]
fn dropout_is_drawn_from_the_key() {
    let bert = load("distilbert", Pooling::First);
    let pieces = bert.cut(&["the", "ferry"]).unwrap();
    let run = |seed| values(bert.forward(&[&pieces], Mode::Train(Key::new(seed), Shard::WHOLE)));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert_ne!(run(1), values(bert.forward(&[&pieces], Mode::Evaluate)));
}

#[test]
fn bert_is_a_contextual_encoder() {
    let bert = load("bert", Pooling::Mean);
    let sentences = [vec!["the".to_owned(), "ferry".to_owned()], vec!["unbelievable".to_owned()]];
    let expected = bert.encode(&sentences).unwrap();
    let (n_layers, width) = (bert.n_layers(), bert.width());
    let encoder: Box<dyn ContextualEncoder> = Box::new(bert);
    assert_eq!((encoder.n_layers(), encoder.width()), (n_layers, width));
    let slices: Vec<&[String]> = sentences.iter().map(Vec::as_slice).collect();
    assert_eq!(encoder.encode(&slices).unwrap(), expected);
}
