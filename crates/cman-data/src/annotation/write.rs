//! Writing of annotation.

use std::{
    borrow::Borrow,
    io::{BufWriter, Write},
    path::Path,
};

use super::{
    brat_writer::Folder, doccano, dygie, format::AnnotationFormat, gliner, label_studio_writer, losses::Losses,
    prediction::Prediction, prodigy, tags, unified_ade,
};
use crate::{
    corpus::write_error,
    error::{DataError, Location},
    file::Draft,
    sentence::Sentence,
    validate::validate_annotation,
};

/// Writes sentences to a file, or to a new or empty folder for [`AnnotationFormat::Brat`]. Returns what the format
/// cannot express.
///
/// Each sentence is a document. Its raw text is written if it has one, else its tokens joined by spaces.
///
/// # Errors
/// As [`write_annotations_to`]. A file is then unchanged.
pub fn write_annotations<S: Borrow<Sentence>>(
    sentences: impl IntoIterator<Item = S>,
    format: AnnotationFormat,
    path: impl AsRef<Path>,
) -> Result<Losses, DataError> {
    let path = path.as_ref();
    if format.is_folder() {
        let mut losses = Losses::default();
        let mut folder = Folder::create(path)?;
        for (number, sentence) in (1..).zip(sentences) {
            let at = check(sentence.borrow(), number)?;
            folder.add(sentence.borrow(), None, &at, &mut losses)?;
        }
        return Ok(losses);
    }
    let draft = Draft::of(path);
    let io = |source| DataError::io(path, source);
    let losses = write_annotations_to(sentences, format, BufWriter::new(draft.create().map_err(io)?))?;
    draft.publish().map_err(io)?;
    Ok(losses)
}

/// Writes sentences to a writer, with the content of [`write_annotations`].
///
/// # Errors
/// [`DataError::Inexpressible`] for a format that is only read or is a folder, [`DataError::Invalid`] for an invalid
/// sentence, [`DataError::Io`] if writing fails.
pub fn write_annotations_to<S: Borrow<Sentence>>(
    sentences: impl IntoIterator<Item = S>,
    format: AnnotationFormat,
    mut writer: impl Write,
) -> Result<Losses, DataError> {
    let mut losses = Losses::default();
    let mut records = Records::default();
    let mut framing = framing(format)?;
    for (number, sentence) in (1..).zip(sentences) {
        let sentence = sentence.borrow();
        let at = check(sentence, number)?;
        let record = records.record(std::slice::from_ref(sentence), format, None, &at, &mut losses)?;
        framing.write(&mut writer, &record)?;
    }
    writer.write_all(framing.end().as_bytes()).and_then(|()| writer.flush()).map_err(write_error)?;
    Ok(losses)
}

/// Makes the records of a file.
#[derive(Default)]
pub(super) struct Records {
    serial: doccano::Serial,
}

impl Records {
    /// The record of a sentence, or of several sentences of one DyGIE++ document.
    pub(super) fn record(
        &mut self,
        sentences: &[Sentence],
        format: AnnotationFormat,
        prediction: Option<&Prediction>,
        at: &Location,
        losses: &mut Losses,
    ) -> Result<String, DataError> {
        let Some(sentence) = sentences.first() else { return Err(not_a_stream(format)) };
        match format {
            AnnotationFormat::LabelStudio => label_studio_writer::record(sentence, prediction, at, losses),
            AnnotationFormat::Doccano => doccano::record(sentence, at, &mut self.serial, losses),
            AnnotationFormat::Dygie => dygie::record(sentences, at, losses),
            AnnotationFormat::Prodigy => prodigy::record(sentence, prediction),
            AnnotationFormat::Gliner => gliner::record(sentence, at, losses),
            AnnotationFormat::UnifiedAde => unified_ade::record(sentence, at, losses),
            AnnotationFormat::Bio => tags::record(sentence, false, at, losses),
            AnnotationFormat::Bioes => tags::record(sentence, true, at, losses),
            AnnotationFormat::Brat | AnnotationFormat::WebAnno => Err(not_a_stream(format)),
        }
    }
}

/// Checks a sentence with this number. Returns its location.
pub(super) fn check(sentence: &Sentence, number: usize) -> Result<Location, DataError> {
    let at = Location::default().with_record(number);
    validate_annotation(sentence).map_err(|fault| fault.at(at.clone()))?;
    Ok(at)
}

/// What stands around the records.
pub(super) struct Framing {
    /// What stands before the next record.
    before: &'static str,
    between: &'static str,
    end: &'static str,
    /// The file of no records.
    empty: &'static str,
    is_empty: bool,
}

impl Framing {
    /// Writes a record.
    pub(super) fn write(&mut self, writer: &mut impl Write, record: &str) -> Result<(), DataError> {
        write!(writer, "{}{record}", self.before).map_err(write_error)?;
        (self.before, self.is_empty) = (self.between, false);
        Ok(())
    }

    /// What stands after the last record.
    pub(super) fn end(&self) -> &'static str {
        if self.is_empty { self.empty } else { self.end }
    }
}

pub(super) fn framing(format: AnnotationFormat) -> Result<Framing, DataError> {
    let (before, between, end, empty) = match format {
        AnnotationFormat::LabelStudio | AnnotationFormat::Gliner | AnnotationFormat::UnifiedAde => {
            ("[\n", ",\n", "\n]\n", "[]\n")
        }
        AnnotationFormat::Doccano | AnnotationFormat::Dygie | AnnotationFormat::Prodigy => ("", "\n", "\n", ""),
        AnnotationFormat::Bio | AnnotationFormat::Bioes => ("", "", "", ""),
        AnnotationFormat::Brat | AnnotationFormat::WebAnno => return Err(not_a_stream(format)),
    };
    Ok(Framing { before, between, end, empty, is_empty: true })
}

fn not_a_stream(format: AnnotationFormat) -> DataError {
    let found = if format.is_folder() { "one file: it is a folder" } else { "sentences to write: it is only read" };
    DataError::Inexpressible {
        at: Box::default(),
        format: format.title(),
        field: "output".to_owned(),
        found: found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_sentences_and_formats_that_are_not_written_are_errors() {
        let empty = Sentence::from_tokens("1", Vec::<String>::new());
        for &format in [AnnotationFormat::LabelStudio, AnnotationFormat::Bio].iter() {
            let error = write_annotations_to([&empty], format, Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), "record 1, tokens: expected at least one token, found none");
        }
        for (format, message) in [
            (AnnotationFormat::WebAnno, "the WebAnno TSV format cannot express sentences to write: it is only read"),
            (AnnotationFormat::Brat, "the brat format cannot express one file: it is a folder"),
        ] {
            let error = write_annotations_to([&empty], format, Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), format!("output: {message}"));
        }
    }

    #[test]
    fn an_error_leaves_the_file_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let [good, bad] = ["1", "2"].map(|id| Sentence::from_tokens(id, if id == "1" { vec!["a"] } else { vec![] }));
        write_annotations([&good], AnnotationFormat::Gliner, &path).unwrap();
        assert!(write_annotations([&good, &bad], AnnotationFormat::Gliner, &path).is_err());
        let content = std::fs::read_to_string(&path).unwrap();
        assert_eq!(content, "[\n{\"tokenized_text\":[\"a\"],\"ner\":[],\"relations\":[]}\n]\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
