//! Reading of fixtures in tests.

use super::{AnnotationFormat, AnnotationOptions, Losses, read_annotations, write_annotations_to};
use crate::sentence::Sentence;

/// Reads a file with this content.
pub(super) fn read_with(
    format: AnnotationFormat,
    content: &str,
    options: &AnnotationOptions,
) -> Result<(Vec<Sentence>, Losses), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, content).unwrap();
    read_annotations(&path, format, options).map_err(|error| {
        let message = error.to_string();
        message.strip_prefix(&format!("{}: ", path.display())).expect("a message with the file").to_owned()
    })
}

pub(super) fn read(format: AnnotationFormat, content: &str) -> (Vec<Sentence>, Losses) {
    read_with(format, content, &AnnotationOptions::default()).unwrap()
}

/// The message of the error without the file.
pub(super) fn first_error(format: AnnotationFormat, content: &str) -> String {
    read_with(format, content, &AnnotationOptions::default()).unwrap_err()
}

pub(super) fn write(sentences: &[Sentence], format: AnnotationFormat) -> (String, Losses) {
    let mut bytes = Vec::new();
    let losses = write_annotations_to(sentences, format, &mut bytes).unwrap();
    (String::from_utf8(bytes).unwrap(), losses)
}

pub(super) fn words(sentences: &[Sentence]) -> Vec<Vec<&str>> {
    sentences.iter().map(|sentence| sentence.words().collect()).collect()
}

pub(super) fn span_texts(sentence: &Sentence) -> Vec<(&str, String)> {
    let text = |entity: &crate::Entity| sentence.span_text(entity.span());
    sentence.entities.iter().map(|entity| (entity.kind.as_str(), text(entity))).collect()
}
