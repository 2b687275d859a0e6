//! Reading of annotation.

use std::{fs, path::Path};

use super::{
    annotation_source::AnnotationSource,
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
    corpus::{Format, ReaderBuilder, Report},
    error::DataError,
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
    let (sentences, losses, _) = read(AnnotationSource::Path(path), format, options)?;
    Ok((sentences, losses))
}

/// Reads the bytes of a file, such as the standard input. Messages use `name` as the file name.
///
/// # Errors
/// As [`read_annotations`]. [`DataError::Invalid`] for [`AnnotationFormat::Brat`], whose documents are two files.
pub fn read_annotations_from(
    bytes: &[u8],
    name: impl AsRef<Path>,
    format: AnnotationFormat,
    options: &AnnotationOptions,
) -> Result<(Vec<Sentence>, Losses), DataError> {
    let (sentences, losses, _) = read(AnnotationSource::Bytes { name: name.as_ref(), bytes }, format, options)?;
    Ok((sentences, losses))
}

/// The sentences, the losses, and the report of a corpus.
pub(super) fn read(
    source: AnnotationSource,
    format: AnnotationFormat,
    options: &AnnotationOptions,
) -> Result<(Vec<Sentence>, Losses, Report), DataError> {
    let mut collector = Collector::new(options);
    match format {
        AnnotationFormat::LabelStudio => label_studio::read(&mut collector, source),
        AnnotationFormat::Doccano => doccano::read(&mut collector, source),
        AnnotationFormat::Brat => brat::read(&mut collector, source),
        AnnotationFormat::Dygie => dygie::read(&mut collector, source),
        AnnotationFormat::Prodigy => prodigy::read(&mut collector, source),
        AnnotationFormat::Gliner => gliner::read(&mut collector, source),
        AnnotationFormat::UnifiedAde => unified_ade::read(&mut collector, source),
        AnnotationFormat::WebAnno => webanno::read(&mut collector, source),
        AnnotationFormat::Bio | AnnotationFormat::Bioes => return columns(source, options),
    }?;
    collector.finish(source)
}

/// Columns are a corpus format.
fn columns(
    source: AnnotationSource,
    options: &AnnotationOptions,
) -> Result<(Vec<Sentence>, Losses, Report), DataError> {
    let mut reader = ReaderBuilder::new().format(Format::Columns).on_error(options.on_error).all_messages();
    if let Some(schema) = &options.schema {
        reader = reader.schema(schema.clone());
    }
    let mut reader = reader.from_reader(source.open()?, source.name())?;
    let sentences = reader.by_ref().collect::<Result<_, _>>()?;
    let (_, report) = reader.into_parts();
    let mut losses = Losses::default();
    for message in &report.messages {
        losses.add(LossKind::InvalidRecord, message);
    }
    let at = source.location().to_string();
    (0..report.merged_entities).for_each(|_| losses.add(LossKind::RepeatedEntity, at.as_str()));
    Ok((sentences, losses, report))
}
