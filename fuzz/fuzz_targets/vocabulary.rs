//! The vocabularies of a model directory.
#![no_main]

use cman_data::{Sentence, Vocabularies};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(vocabularies) = serde_json::from_slice::<Vocabularies>(bytes) else { return };
    let sentence = Sentence::from_tokens("1", ["Zoë", "left", "<pad>", "東京"]);
    let encoded = vocabularies.encode_tokens(&sentence).expect("a valid sentence");
    assert!(encoded.words.iter().all(|&id| (id as usize) < vocabularies.words.len()));
    assert!(encoded.chars.iter().flatten().all(|&id| (id as usize) < vocabularies.chars.len()));
    let json = serde_json::to_vec(&vocabularies).expect("strings and numbers serialise");
    assert_eq!(serde_json::from_slice::<Vocabularies>(&json).expect("written vocabularies are valid"), vocabularies);
});
