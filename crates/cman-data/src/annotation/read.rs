//! Reading of annotation.

use std::{fs, path::Path};

use super::{
    brat,
    collector::Collector,
    doccano, dygie,
    format::AnnotationFormat,
    gliner, label_studio,
    losses::{LossKind, Losses},
    options::AnnotationOptions,
    prodigy, unified_ade, webanno,
};
use crate::{
    corpus::{Corpus, Format, ReaderBuilder},
    error::{DataError, Location},
    sentence::Sentence,
};

/// Reads a file of an annotation tool, or a folder of [`AnnotationFormat::Brat`] or [`AnnotationFormat::WebAnno`].
/// Returns the sentences, and what was left out or changed.
///
/// Offsets are verified against the text wherever the format has both.
/// [`recognize_annotations`](crate::recognize_annotations) finds the format of a file.
///
/// ```no_run
/// use cman_data::{AnnotationFormat, AnnotationOptions, read_annotations};
///
/// # fn main() -> Result<(), cman_data::DataError> {
/// let options = AnnotationOptions::default();
/// let (sentences, losses) = read_annotations("export.json", AnnotationFormat::LabelStudio, &options)?;
/// eprintln!("{} sentences\n{losses}", sentences.len());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`DataError::Io`] if the file cannot be read; [`DataError::Json`], [`DataError::Invalid`], [`DataError::NotUtf8`] and
/// [`DataError::TooLarge`] for an invalid record, unless [`AnnotationOptions::on_error`] skips it;
/// [`DataError::Foreign`] for Label Studio's JSON_MIN; [`DataError::NoSentence`] if there is nothing to read.
pub fn read_annotations(
    path: impl AsRef<Path>,
    format: AnnotationFormat,
    options: &AnnotationOptions,
) -> Result<(Vec<Sentence>, Losses), DataError> {
    let path = path.as_ref();
    fs::metadata(path).map_err(|source| DataError::io(path, source))?;
    let mut collector = Collector::new(options);
    match format {
        AnnotationFormat::LabelStudio => label_studio::read(&mut collector, path),
        AnnotationFormat::Doccano => doccano::read(&mut collector, path),
        AnnotationFormat::Brat => brat::read(&mut collector, path),
        AnnotationFormat::Dygie => dygie::read(&mut collector, path),
        AnnotationFormat::Prodigy => prodigy::read(&mut collector, path),
        AnnotationFormat::Gliner => gliner::read(&mut collector, path),
        AnnotationFormat::UnifiedAde => unified_ade::read(&mut collector, path),
        AnnotationFormat::WebAnno => webanno::read(&mut collector, path),
        AnnotationFormat::Bio | AnnotationFormat::Bioes => return columns(path, options),
    }?;
    collector.finish(path)
}

/// Columns are a corpus format.
fn columns(path: &Path, options: &AnnotationOptions) -> Result<(Vec<Sentence>, Losses), DataError> {
    let mut reader = ReaderBuilder::new().format(Format::Columns).on_error(options.on_error).all_messages();
    if let Some(schema) = &options.schema {
        reader = reader.schema(schema.clone());
    }
    let corpus = Corpus::read(path, &reader)?;
    let mut losses = Losses::default();
    for message in &corpus.report.messages {
        losses.add(LossKind::InvalidRecord, message);
    }
    let at = Location::file(path).to_string();
    (0..corpus.report.merged_entities).for_each(|_| losses.add(LossKind::RepeatedEntity, at.as_str()));
    Ok((corpus.sentences, losses))
}
