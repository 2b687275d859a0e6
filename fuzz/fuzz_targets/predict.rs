//! The input of `cman predict` in every format. Checks all reported offsets.
#![no_main]

use cman_data::{Format, Input, InputFormat, InputOptions, InputRecord, TokenizerConfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for tokenizer in [TokenizerConfig::conll04(), TokenizerConfig::ade(), TokenizerConfig::Characters] {
        for format in [
            None,
            Some(InputFormat::Text),
            Some(InputFormat::Corpus(Format::Spert)),
            Some(InputFormat::Corpus(Format::JsonLines)),
            Some(InputFormat::Corpus(Format::Multihead)),
            Some(InputFormat::Corpus(Format::Columns)),
        ] {
            let options = InputOptions { format, tokenizer: tokenizer.clone(), interactive: false };
            let Ok(mut input) = Input::open(bytes, "input", &options) else { continue };
            while let Ok(Some(record)) = input.next() {
                let text = (format == Some(InputFormat::Text)).then_some(bytes);
                record.into_iter().for_each(|record| check(record, text));
            }
        }
    }
});

/// Each token is the part of its sentence that its range says, and each sentence of a line of text is in the input.
fn check(record: InputRecord, input: Option<&[u8]>) {
    let line = input.and_then(|input| input.split(|&byte| byte == b'\n').nth(record.at.line? - 1));
    let line = line.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let line: Option<Vec<char>> = line.map(|line| String::from_utf8_lossy(line).chars().collect());
    for (offset, sentence) in record.sentences {
        let Some(offset) = offset else { continue };
        let text: Vec<char> = sentence.text.as_deref().expect("text").chars().collect();
        // A byte-order mark at the start of the input is not part of its first line.
        let first = record.at.line == Some(1);
        assert!(line.as_ref().is_none_or(|line| first || line[offset..offset + text.len()] == text[..]));
        for token in &sentence.tokens {
            let range = token.chars.clone().expect("a range");
            assert_eq!(token.text, text[range].iter().collect::<String>());
        }
    }
}
