//! The input of `cman predict`, lines of text or JSON. Checks all reported offsets.
#![no_main]

use cman_data::{Lines, TokenizerConfig};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../crates/cman-cli/src/record.rs"]
mod record;

fuzz_target!(|bytes: &[u8]| {
    let mut lines = Lines::new(bytes, 1 << 12);
    while let Some((_, line)) = lines.next().expect("reading from memory") {
        let Ok(line) = line else { continue };
        for tokenizer in [TokenizerConfig::conll04(), TokenizerConfig::ade()] {
            check(record::Record::from_text(line, &tokenizer), Some(line));
            if let Ok(record) = record::Record::from_json(line, &tokenizer) {
                check(record, None);
            }
        }
    }
});

fn check(record: record::Record, input: Option<&str>) {
    let input: Option<Vec<char>> = input.map(|text| text.chars().collect());
    for (offset, sentence) in record.sentences {
        let Some(offset) = offset else { continue };
        let text: Vec<char> = sentence.text.as_deref().expect("text").chars().collect();
        assert!(input.as_ref().is_none_or(|input| input[offset..offset + text.len()] == text[..]));
        for token in &sentence.tokens {
            let range = token.chars.clone().expect("a range");
            assert_eq!(token.text, text[range].iter().collect::<String>());
        }
    }
}
