//! Writing of annotation.

use std::{
    borrow::Borrow,
    io::{BufWriter, Write},
    path::Path,
};

use super::{
    brat_writer, doccano, dygie, format::AnnotationFormat, gliner, label_studio_writer, losses::Losses, prodigy, tags,
    unified_ade,
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
        let checked = (1..).zip(sentences).map(|(number, sentence)| {
            let at = check(sentence.borrow(), number)?;
            Ok((sentence.borrow().clone(), at))
        });
        brat_writer::write(checked, path, &mut losses)?;
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
    let mut serial = doccano::Serial::default();
    let Framing { start, between, end, empty } = framing(format)?;
    let mut before = start;
    let mut is_empty = true;
    for (number, sentence) in (1..).zip(sentences) {
        let sentence = sentence.borrow();
        let at = check(sentence, number)?;
        let record = match format {
            AnnotationFormat::LabelStudio => label_studio_writer::record(sentence, &at, &mut losses),
            AnnotationFormat::Doccano => doccano::record(sentence, &at, &mut serial, &mut losses),
            AnnotationFormat::Dygie => dygie::record(sentence, &at, &mut losses),
            AnnotationFormat::Prodigy => prodigy::record(sentence, &at, &mut losses),
            AnnotationFormat::Gliner => gliner::record(sentence, &at, &mut losses),
            AnnotationFormat::UnifiedAde => unified_ade::record(sentence, &at, &mut losses),
            AnnotationFormat::Bio => tags::record(sentence, false, &at, &mut losses),
            AnnotationFormat::Bioes => tags::record(sentence, true, &at, &mut losses),
            AnnotationFormat::Brat | AnnotationFormat::WebAnno => Err(not_a_stream(format)),
        }?;
        write!(writer, "{before}{record}").map_err(write_error)?;
        (before, is_empty) = (between, false);
    }
    let end = if is_empty { empty } else { end };
    writer.write_all(end.as_bytes()).and_then(|()| writer.flush()).map_err(write_error)?;
    Ok(losses)
}

/// Checks a sentence with this number. Returns its location.
fn check(sentence: &Sentence, number: usize) -> Result<Location, DataError> {
    let at = Location::default().with_record(number);
    validate_annotation(sentence).map_err(|fault| fault.at(at.clone()))?;
    Ok(at)
}

/// What stands around the records.
struct Framing {
    start: &'static str,
    between: &'static str,
    end: &'static str,
    /// The file of no records.
    empty: &'static str,
}

fn framing(format: AnnotationFormat) -> Result<Framing, DataError> {
    Ok(match format {
        AnnotationFormat::LabelStudio | AnnotationFormat::Gliner | AnnotationFormat::UnifiedAde => {
            Framing { start: "[\n", between: ",\n", end: "\n]\n", empty: "[]\n" }
        }
        AnnotationFormat::Doccano | AnnotationFormat::Dygie | AnnotationFormat::Prodigy => {
            Framing { start: "", between: "\n", end: "\n", empty: "" }
        }
        AnnotationFormat::Bio | AnnotationFormat::Bioes => Framing { start: "", between: "", end: "", empty: "" },
        AnnotationFormat::Brat | AnnotationFormat::WebAnno => return Err(not_a_stream(format)),
    })
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
