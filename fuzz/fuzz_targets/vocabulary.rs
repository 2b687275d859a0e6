//! The vocabularies of a model directory.
#![no_main]

use cman_data::{Sentence, Vocabularies};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(vocabularies) = serde_json::from_slice::<Vocabularies>(bytes) else { return };
    let sentence = Sentence::from_tokens("1", ["Zoë", "left", "<pad>", "東京"]);
    let encoded = vocabularies.encode_tokens(&sentence).expect("a sentence that can be encoded");
    assert!(encoded.words.iter().all(|&id| (id as usize) < vocabularies.words.len()));
    assert!(encoded.chars.iter().flatten().all(|&id| (id as usize) < vocabularies.chars.len()));
    let json = serde_json::to_vec(&vocabularies).expect("names and numbers");
    assert_eq!(serde_json::from_slice::<Vocabularies>(&json).expect("what was written"), vocabularies);
});
