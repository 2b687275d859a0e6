//! Files of annotation tools, in every format. What is read is valid, and is written and read again.
#![no_main]

use std::{fs, sync::LazyLock};

use cman_data::{
    AnnotationFormat, AnnotationOptions, OnError, Sentence, TokenizerConfig, read_annotations, read_annotations_from,
    recognize_annotations_in, write_annotations_to,
};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

const FORMATS: [AnnotationFormat; 8] = [
    AnnotationFormat::LabelStudio,
    AnnotationFormat::Doccano,
    AnnotationFormat::Dygie,
    AnnotationFormat::Prodigy,
    AnnotationFormat::Gliner,
    AnnotationFormat::UnifiedAde,
    AnnotationFormat::WebAnno,
    AnnotationFormat::Bio,
];

fuzz_target!(|bytes: &[u8]| {
    _ = recognize_annotations_in(bytes, "input");
    let other = AnnotationOptions {
        tokenizer: TokenizerConfig::Characters,
        whole_documents: true,
        on_error: OnError::Skip,
        predictions: true,
        ..AnnotationOptions::default()
    };
    for options in [AnnotationOptions::default(), other] {
        for format in FORMATS {
            if let Ok((sentences, _)) = read_annotations_from(bytes, "input", format, &options) {
                check(&sentences);
            }
        }
        if let Some(sentences) = brat(bytes, &options) {
            check(&sentences);
        }
    }
});

/// A document of brat: the text before the first null character, and the annotation after it.
fn brat(bytes: &[u8], options: &AnnotationOptions) -> Option<Vec<Sentence>> {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));
    let end = bytes.iter().position(|&byte| byte == 0)?;
    fs::write(FOLDER.path().join("a.txt"), &bytes[..end]).ok()?;
    fs::write(FOLDER.path().join("a.ann"), &bytes[end + 1..]).ok()?;
    read_annotations(FOLDER.path(), AnnotationFormat::Brat, options).ok().map(|(sentences, _)| sentences)
}

fn check(sentences: &[Sentence]) {
    assert!(!sentences.is_empty());
    for sentence in sentences {
        let text: Option<Vec<char>> = sentence.text.as_deref().map(|text| text.chars().collect());
        for token in &sentence.tokens {
            if let (Some(text), Some(range)) = (&text, token.chars.clone()) {
                assert_eq!(token.text, text[range].iter().collect::<String>());
            }
        }
        let n = sentence.entities.len();
        assert!(sentence.entities.iter().all(|entity| entity.start < entity.end && entity.end <= sentence.len()));
        assert!(sentence.relations.iter().all(|r| r.head < n && r.tail < n && r.head != r.tail));
    }
    // DyGIE++ keeps tokens, entities and relations of any sentence.
    let mut written = Vec::new();
    write_annotations_to(sentences, AnnotationFormat::Dygie, &mut written).expect("valid sentences");
    let options = AnnotationOptions::default();
    let (reread, losses) =
        read_annotations_from(&written, "written", AnnotationFormat::Dygie, &options).expect("a valid file");
    assert!(losses.is_empty(), "{losses}");
    assert_eq!(reread.len(), sentences.len());
    for (reread, sentence) in reread.iter().zip(sentences) {
        assert!(reread.words().eq(sentence.words()));
        assert_eq!((&reread.entities, &reread.relations), (&sentence.entities, &sentence.relations));
    }
}
