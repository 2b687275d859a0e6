//! What is found in a whole text, with offsets in the text.

use std::ops::Range;

use cman_data::RawSentence;
use serde::{Deserialize, Serialize};

use super::{ExtractedRelation, Extraction, ScoredSequence};
use crate::error::ModelError;

/// The entities and relations of a text.
///
/// Offsets count characters (Unicode scalar values, as in Python), bytes of UTF-8 (as in Rust and Go) and UTF-16 units (as in
/// JavaScript and Java).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document {
    /// The sentences.
    pub sentences: Vec<DocumentSentence>,
    /// The entities of all sentences.
    pub entities: Vec<DocumentEntity>,
    /// The relations. Their arguments are indices into `entities`.
    pub relations: Vec<ExtractedRelation>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextSpan {
    /// In Unicode scalar values.
    pub chars: Range<usize>,
    /// In bytes of UTF-8.
    pub bytes: Range<usize>,
    /// In UTF-16 code units.
    pub utf16: Range<usize>,
}

/// A sentence of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentSentence {
    /// Where it is.
    #[serde(flatten)]
    pub span: TextSpan,
    /// Number of its tokens.
    pub tokens: usize,
    /// Number of windows in which it was read: 1 unless it is too long to be read as a whole.
    pub windows: usize,
    /// Its best tag sequences, by tokens of the sentence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub n_best: Vec<ScoredSequence>,
}

/// An entity of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentEntity {
    /// The entity type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The entity as it is written in the text.
    pub text: String,
    /// Where it is.
    #[serde(flatten)]
    pub span: TextSpan,
    /// Its sentence: index into [`Document::sentences`].
    pub sentence: usize,
    /// As [`ExtractedEntity::confidence`](super::ExtractedEntity::confidence).
    pub confidence: f64,
}

/// An entity of a text whose relations are wanted.
///
/// ```
/// let given: cman_model::GivenEntity = serde_json::from_str(r#"{"type": "Loc", "start": 8, "end": 12}"#)?;
/// assert_eq!(given, cman_model::GivenEntity { kind: "Loc".into(), start: 8, end: 12 });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenEntity {
    /// The entity type.
    #[serde(rename = "type")]
    pub kind: String,
    /// First character, in Unicode scalar values.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
}

impl Document {
    /// Puts the extractions from the sentences of a text together.
    pub(super) fn of(text: &str, extractions: Vec<Extraction>) -> Self {
        let units = Units::of(text);
        let mut document = Self { sentences: Vec::new(), entities: Vec::new(), relations: Vec::new() };
        for (sentence, extraction) in extractions.into_iter().enumerate() {
            let start = extraction.offset;
            let first = document.entities.len();
            for entity in extraction.entities {
                let span = units.span(start + entity.char_start..start + entity.char_end);
                document.entities.push(DocumentEntity {
                    kind: entity.kind,
                    text: text[span.bytes.clone()].to_owned(),
                    span,
                    sentence,
                    confidence: entity.confidence,
                });
            }
            document.relations.extend(extraction.relations.into_iter().map(|relation| ExtractedRelation {
                head: relation.head + first,
                tail: relation.tail + first,
                ..relation
            }));
            document.sentences.push(DocumentSentence {
                span: units.span(start..start + extraction.text.chars().count()),
                tokens: extraction.tokens.len(),
                windows: extraction.windows,
                n_best: extraction.n_best,
            });
        }
        document
    }
}

/// Where each character of a text is, in bytes and in UTF-16 units; then the end of the text.
struct Units(Vec<(usize, usize)>);

impl Units {
    fn of(text: &str) -> Self {
        let mut utf16 = 0;
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(text.len() + 1);
        for (byte, char) in text.char_indices() {
            places.push((byte, utf16));
            utf16 += char.len_utf16();
        }
        places.push((text.len(), utf16));
        Self(places)
    }

    fn span(&self, chars: Range<usize>) -> TextSpan {
        let (from, to) = (self.0[chars.start], self.0[chars.end]);
        TextSpan { chars, bytes: from.0..to.0, utf16: from.1..to.1 }
    }
}

/// Annotates the sentences of a text with given entities, which are sorted.
///
/// # Errors
/// [`ModelError::GivenEntity`] if an entity does not consist of whole tokens of one sentence.
pub(super) fn give(sentences: &mut [RawSentence], entities: &[GivenEntity]) -> Result<(), ModelError> {
    for (index, entity) in entities.iter().enumerate() {
        let fail =
            |expected: String| Err(ModelError::GivenEntity { index, expected, start: entity.start, end: entity.end });
        let after = sentences.partition_point(|sentence| sentence.offset <= entity.start);
        let Some(at) = after.checked_sub(1) else {
            return fail("characters of a sentence".into());
        };
        let RawSentence { offset, sentence } = &mut sentences[at];
        let tokens = sentence.tokens.iter().filter_map(|token| token.chars.clone());
        let places: Vec<Range<usize>> = tokens.map(|chars| chars.start + *offset..chars.end + *offset).collect();
        let first = places.iter().position(|chars| chars.start == entity.start);
        let last = places.iter().position(|chars| chars.end == entity.end);
        let (Some(first), Some(last)) = (first, last) else {
            let touched: Vec<&Range<usize>> =
                places.iter().filter(|chars| chars.start < entity.end && entity.start < chars.end).collect();
            return match (touched.first(), touched.last()) {
                (Some(from), Some(to)) => {
                    fail(format!("whole tokens of one sentence, such as {} to {}", from.start, to.end))
                }
                _ => fail("whole tokens of one sentence".into()),
            };
        };
        if last < first {
            return fail("an end after the start".into());
        }
        sentence.entities.push(cman_data::Entity::new(&entity.kind, first..last + 1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_characters_bytes_and_utf16_units() {
        let text = "a𝄞é\u{301}🇩🇪";
        let units = Units::of(text);
        let chars: Vec<char> = text.chars().collect();
        for start in 0..=chars.len() {
            for end in start..=chars.len() {
                let part: String = chars[start..end].iter().collect();
                let span = units.span(start..end);
                assert_eq!(text[span.bytes.clone()], part);
                let wide: Vec<u16> = text.encode_utf16().collect();
                assert_eq!(String::from_utf16(&wide[span.utf16]).unwrap(), part);
            }
        }
    }

    #[test]
    fn given_entities_are_whole_tokens_of_a_sentence() {
        let text = "Ann ran. Zoë lives in Bonn.";
        let give = |start, end| {
            let mut sentences = cman_data::sentences_from_text(text);
            let entities = [GivenEntity { kind: "Peop".into(), start, end }];
            give(&mut sentences, &entities).map(|()| sentences[1].sentence.entities.clone())
        };
        assert_eq!(give(9, 12).unwrap(), [cman_data::Entity::new("Peop", 0..1)]);
        let message = |start, end| give(start, end).unwrap_err().to_string();
        assert_eq!(
            message(9, 11),
            "entities[0]: expected whole tokens of one sentence, such as 9 to 12, found 9 to 11"
        );
        assert_eq!(message(4, 12), "entities[0]: expected whole tokens of one sentence, such as 4 to 8, found 4 to 12");
        assert_eq!(message(13, 9), "entities[0]: expected whole tokens of one sentence, found 13 to 9");
        assert_eq!(message(99, 120), "entities[0]: expected whole tokens of one sentence, found 99 to 120");
    }
}
