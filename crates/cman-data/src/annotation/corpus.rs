//! Corpora of any format: those of the field, and those of annotation tools.

use std::{fs, path::Path};

use super::{
    annotation_source::AnnotationSource,
    losses::{LossKind, Losses},
    options::AnnotationOptions,
    read::read,
    recognize::{recognize_annotations, recognize_annotations_in},
};
use crate::{
    AnnotationFormat, CorpusDir,
    corpus::{Acceptance, Corpus, OnError, ReaderBuilder, Record, SplitFiles, Splits},
    error::{DataError, Location},
};

/// What the annotation of each part of a corpus lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SplitLosses {
    /// Losses of the training data.
    pub train: Losses,
    /// Losses of the dev data.
    pub dev: Losses,
    /// Losses of the test data.
    pub test: Losses,
}

impl Corpus {
    /// Reads a corpus file, or a file or folder of an annotation tool, as
    /// [`recognize_annotations`](crate::recognize_annotations) tells. Returns also what annotation is left out or changed.
    ///
    /// The schema and the policies of `options` hold for both; `annotation` says how text becomes sentences. Invalid
    /// records are in the [`Report`](crate::Report) of the corpus, not in the losses.
    ///
    /// ```no_run
    /// use cman_data::{AnnotationOptions, Corpus, ReaderBuilder};
    ///
    /// # fn main() -> Result<(), cman_data::DataError> {
    /// let (corpus, losses) = Corpus::read_any("export.json", &ReaderBuilder::new(), &AnnotationOptions::default())?;
    /// eprintln!("{} sentences\n{losses}", corpus.sentences.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Corpus::read`] and [`read_annotations`](crate::read_annotations); [`DataError::Foreign`] for a folder
    /// without annotation.
    pub fn read_any(
        path: impl AsRef<Path>,
        options: &ReaderBuilder,
        annotation: &AnnotationOptions,
    ) -> Result<(Self, Losses), DataError> {
        let path = path.as_ref();
        fs::metadata(path).map_err(|source| DataError::io(path, source))?;
        match recognize_annotations(path)? {
            Some(format) => annotated(AnnotationSource::Path(path), format, options, annotation),
            None if path.is_dir() => Err(no_annotation(path)),
            None => Ok((Self::read(path, options)?, Losses::default())),
        }
    }

    /// Reads the bytes of a file, such as the standard input. Messages use `name` as the file name.
    ///
    /// # Errors
    /// As [`read_any`](Self::read_any).
    pub fn read_any_from(
        bytes: &[u8],
        name: impl AsRef<Path>,
        options: &ReaderBuilder,
        annotation: &AnnotationOptions,
    ) -> Result<(Self, Losses), DataError> {
        let name = name.as_ref();
        if let Some(format) = recognize_annotations_in(bytes, name)? {
            return annotated(AnnotationSource::Bytes { name, bytes }, format, options, annotation);
        }
        let mut reader = options.from_reader(bytes, name)?;
        let sentences = reader.by_ref().collect::<Result<_, _>>()?;
        let (schema, report) = reader.into_parts();
        Ok((Self { sentences, schema, report }, Losses::default()))
    }
}

impl Splits {
    /// Reads files and folders of any format, as [`Corpus::read_any`] does.
    ///
    /// # Errors
    /// Those of [`Splits::read`] and [`Corpus::read_any`].
    pub fn read_any(
        files: &SplitFiles,
        options: &ReaderBuilder,
        annotation: &AnnotationOptions,
    ) -> Result<(Self, SplitLosses), DataError> {
        let mut all = SplitLosses::default();
        let splits = Self::read_with(files, options, |part, path, options| {
            let (corpus, losses) = Corpus::read_any(path, options, annotation)?;
            match part {
                "train" => all.train = losses,
                "dev" => all.dev = losses,
                _ => all.test = losses,
            }
            Ok(corpus)
        })?;
        Ok((splits, all))
    }
}

/// The corpus of a file of an annotation tool.
fn annotated(
    source: AnnotationSource,
    format: AnnotationFormat,
    options: &ReaderBuilder,
    annotation: &AnnotationOptions,
) -> Result<(Corpus, Losses), DataError> {
    let policy = options.error_policy();
    let annotation = AnnotationOptions { on_error: policy, schema: options.allowed().cloned(), ..annotation.clone() };
    let (found, losses, read) = read(source, format, &annotation)?;
    let mut acceptance = Acceptance::new(options.allowed().cloned(), options.overlap_policy());
    acceptance.report = read;
    let mut sentences = Vec::with_capacity(found.len());
    for sentence in found {
        let id = sentence.id.clone();
        let record = Record { sentence, annotated: true, orphans: 0, lines: None };
        match acceptance.accept(record, &source.location()) {
            Ok(accepted) => sentences.extend(accepted),
            Err(error) => {
                let error = in_sentence(error, &id.to_string(), &source.location());
                if policy == OnError::Refuse {
                    return Err(error);
                }
                acceptance.report.skip(&error, true);
            }
        }
    }
    let Acceptance { schema, mut report, .. } = acceptance;
    if sentences.is_empty() {
        let at = Box::new(source.location());
        return Err(DataError::NoSentence { at, records: report.records, reasons: report.reasons });
    }
    if !options.keeps_messages() {
        report.messages.clear();
    }
    Ok((Corpus { sentences, schema, report }, losses.without(LossKind::InvalidRecord)))
}

/// The error with the sentence that it is about.
fn in_sentence(error: DataError, id: &str, at: &Location) -> DataError {
    match error {
        DataError::Invalid { field, expected, found, .. } => {
            DataError::invalid(at.clone(), format!("sentence {id:?}, {field}"), expected, found)
        }
        error => error,
    }
}

/// The error for a folder without annotation.
fn no_annotation(folder: &Path) -> DataError {
    let file = CorpusDir::find_any(folder).ok().and_then(|found| {
        let CorpusDir { train, dev, test, others, .. } = found;
        [test, dev, train].into_iter().flatten().chain(others).next()
    });
    DataError::Foreign {
        at: Box::new(Location::file(folder)),
        expected: "a corpus file, or a folder of brat or WebAnno",
        found: "a folder without .ann files and WebAnno's .tsv files".to_owned(),
        hint: file.map(|file| format!("name one of its files, such as {}", file.display())),
    }
}
