//! `cman convert`: converts between corpus formats and the formats of annotation tools.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, Result, bail};
use cman_data::{
    AnnotationFormat, AnnotationOptions, Corpus, DataError, Format, Losses, OnError, ReaderBuilder, Sentence,
    read_annotations, read_annotations_from, recognize_annotations, recognize_annotations_in, write_annotations,
    write_annotations_to, write_json_lines, write_multihead, write_spert,
};

use crate::{
    args::{TypesArgs, named},
    corpus::{self, AnnotatedTextArgs, STDIN},
    hint,
    losses::note_losses,
    notes::note_unusual,
    output::{self, is_stdout},
};

/// The corpus formats that are written.
const CORPUS: [&str; 3] = ["spert", "jsonl", "multihead"];
/// The annotation formats that are written.
pub const ANNOTATION: [&str; 9] =
    ["label-studio", "doccano", "brat", "dygie", "prodigy", "gliner", "unified-ade", "bio", "bioes"];
/// Parquet, which a file is recognized to be.
const PARQUET: &[&str] = if cfg!(feature = "parquet") { &["parquet"] } else { &[] };
/// The formats that are only read.
const ONLY_FROM: [&str; 2] = ["columns", "webanno"];

/// Convert a corpus, or a file of an annotation tool, to another format
///
/// Standard error lists what is left out or changed on the way. If `multihead` cannot express a sentence, this is an
/// error and no file is written. `--on-error skip` lists and skips invalid records.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman convert train.txt train.json --to spert
  cman convert export.json train.json --from label-studio --to spert")]
pub struct Args {
    /// Corpus file, export of an annotation tool, or folder of brat; `-` is standard input
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write, or new folder for brat; `-` is standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Format to read; default: recognized from the content
    #[arg(long, value_name = "FORMAT", value_parser = named::<AnyFormat>(CORPUS.into_iter().chain(ANNOTATION).chain(ONLY_FROM)))]
    from: Option<AnyFormat>,
    /// Format to write
    #[arg(long, value_name = "FORMAT", value_parser = named::<AnyFormat>(CORPUS.into_iter().chain(ANNOTATION).chain(PARQUET.iter().copied())))]
    to: AnyFormat,
    #[command(flatten)]
    types: TypesArgs,
    /// How to treat invalid records
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = named::<OnError>(["refuse", "skip"]))]
    on_error: OnError,
    #[command(flatten)]
    annotation: AnnotatedTextArgs,
}

/// A corpus format or the format of an annotation tool.
#[derive(Clone, Copy, Debug)]
enum AnyFormat {
    Corpus(Format),
    Annotation(AnnotationFormat),
    #[cfg(feature = "parquet")]
    Parquet,
}

impl FromStr for AnyFormat {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        #[cfg(feature = "parquet")]
        if name == PARQUET[0] {
            return Ok(Self::Parquet);
        }
        name.parse().map(Self::Corpus).or_else(|_| name.parse().map(Self::Annotation))
    }
}

impl fmt::Display for AnyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corpus(format) => format.fmt(f),
            Self::Annotation(format) => format.fmt(f),
            #[cfg(feature = "parquet")]
            Self::Parquet => f.write_str(PARQUET[0]),
        }
    }
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    output::refuse_inputs(&args.output, &[&args.input])?;
    let sentences = read(args)?;
    write(args, &sentences).with_context(|| format!("cannot convert to {}", args.to))
}

fn read(args: &Args) -> Result<Vec<Sentence>> {
    let reader = args.types.reader()?.on_error(args.on_error);
    let options =
        AnnotationOptions { on_error: args.on_error, schema: args.types.schema()?, ..args.annotation.options() };
    let skip = Some("--on-error skip").filter(|_| args.on_error == OnError::Refuse);
    let hinted = |error: DataError| args.types.hinted(error, skip);
    let input = if is_stdout(&args.input) { Input::Bytes(corpus::stdin()?) } else { Input::Path(&args.input) };
    let from = match args.from {
        Some(from) => Some(from),
        None => input.recognize()?.map(AnyFormat::Annotation),
    };
    let corpus = match from {
        Some(AnyFormat::Annotation(format)) => {
            let (sentences, losses) = input.annotations(format, &options).map_err(|error| {
                if args.types.types.is_none() { hinted_annotation(error, args) } else { hinted(error) }
            })?;
            note_losses(&losses);
            return Ok(sentences);
        }
        Some(AnyFormat::Corpus(format)) => input.corpus(&reader.format(format)),
        #[cfg(feature = "parquet")]
        Some(AnyFormat::Parquet) => input.corpus(&reader),
        None => input.corpus(&reader),
    }
    .map_err(hinted)?;
    note_unusual(input.name().display(), &corpus);
    Ok(corpus.sentences)
}

/// A file or folder, or standard input.
enum Input<'a> {
    Path(&'a Path),
    Bytes(Vec<u8>),
}

impl Input<'_> {
    fn name(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Bytes(_) => Path::new(STDIN),
        }
    }

    fn recognize(&self) -> Result<Option<AnnotationFormat>, DataError> {
        match self {
            Self::Path(path) => recognize_annotations(path),
            Self::Bytes(bytes) => recognize_annotations_in(bytes, STDIN),
        }
    }

    fn annotations(
        &self,
        format: AnnotationFormat,
        options: &AnnotationOptions,
    ) -> Result<(Vec<Sentence>, Losses), DataError> {
        match self {
            Self::Path(path) => read_annotations(path, format, options),
            Self::Bytes(bytes) => read_annotations_from(bytes, STDIN, format, options),
        }
    }

    /// A corpus that is no annotation, or whose format is given.
    fn corpus(&self, reader: &ReaderBuilder) -> Result<Corpus, DataError> {
        match self {
            Self::Path(path) if path.is_dir() => corpus::read(path, reader, &AnnotationOptions::default()),
            Self::Path(path) => Corpus::read(path, reader),
            Self::Bytes(bytes) => {
                let mut reader = reader.from_reader(&bytes[..], STDIN)?;
                let sentences = reader.by_ref().collect::<Result<_, _>>()?;
                let (schema, report) = reader.into_parts();
                Ok(Corpus { sentences, schema, report })
            }
        }
    }
}

fn write(args: &Args, sentences: &[Sentence]) -> Result<()> {
    // The writers report the record but not the file.
    let located = |error: DataError| {
        let input = if is_stdout(&args.input) { Path::new(STDIN) } else { &args.input };
        let file = if matches!(error, DataError::Io { .. }) { &args.output } else { input };
        anyhow::Error::from(error).context(file.display().to_string())
    };
    let mut losses = Losses::default();
    match args.to {
        AnyFormat::Annotation(format) if format.is_folder() => {
            if output::is_stdout(&args.output) {
                bail!("{format} is a folder, which cannot be written to standard output");
            }
            losses = write_annotations(sentences, format, &args.output)?;
        }
        _ => output::write(&args.output, |writer| {
            let written = match args.to {
                AnyFormat::Annotation(format) => {
                    write_annotations_to(sentences, format, writer).map(|written| losses = written)
                }
                AnyFormat::Corpus(Format::Spert) => write_spert(sentences, writer),
                AnyFormat::Corpus(Format::JsonLines) => write_json_lines(sentences, writer),
                AnyFormat::Corpus(Format::Multihead) => write_multihead(sentences, writer),
                AnyFormat::Corpus(Format::Columns) => unreachable!("not an allowed value"),
                #[cfg(feature = "parquet")]
                AnyFormat::Parquet => cman_data::write_parquet(sentences, writer),
            };
            written.map_err(located)
        })?,
    }
    note_losses(&losses);
    Ok(())
}

/// Adds the hint for a record of an annotation tool that cannot be read. A damaged file cannot be skipped.
fn hinted_annotation(error: DataError, args: &Args) -> anyhow::Error {
    // Each file of a folder is a document.
    let is_document = args.input.is_dir() && error.path().is_some_and(|path| path != args.input);
    let can_skip = args.on_error == OnError::Refuse && (error.record().is_some() || is_document);
    match error {
        DataError::Invalid { .. } | DataError::Json { .. } | DataError::TooLarge { .. } | DataError::NotUtf8 { .. }
            if can_skip =>
        {
            hint::hinted(error, "`--on-error skip` skips invalid records")
        }
        error => error.into(),
    }
}
