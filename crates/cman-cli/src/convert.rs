//! `cman convert`: converts between corpus formats and the formats of annotation tools.

use std::{fmt, path::PathBuf, str::FromStr};

use anyhow::{Context, Result, bail};
use cman_data::{
    AnnotationFormat, AnnotationOptions, Corpus, CutPolicy, DataError, Format, Losses, OnError, Sentence,
    TokenizerConfig, read_annotations, recognize_annotations, write_annotations, write_annotations_to,
    write_json_lines, write_multihead, write_spert,
};

use crate::{
    args::{TypesArgs, named},
    hint,
    losses::note_losses,
    notes::note_unusual,
    output,
};

/// The corpus formats that are written.
const CORPUS: [&str; 3] = ["spert", "jsonl", "multihead"];
/// The annotation formats that are written.
pub const ANNOTATION: [&str; 9] =
    ["label-studio", "doccano", "brat", "dygie", "prodigy", "gliner", "unified-ade", "bio", "bioes"];
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
    /// Corpus file, export of an annotation tool, or folder of brat
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write, or new folder for brat; `-` is standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Format to read; default: recognized from the content
    #[arg(long, value_name = "FORMAT", value_parser = named::<AnyFormat>(CORPUS.into_iter().chain(ANNOTATION).chain(ONLY_FROM)))]
    from: Option<AnyFormat>,
    /// Format to write
    #[arg(long, value_name = "FORMAT", value_parser = named::<AnyFormat>(CORPUS.into_iter().chain(ANNOTATION)))]
    to: AnyFormat,
    #[command(flatten)]
    types: TypesArgs,
    /// How to treat invalid records
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = named::<OnError>(["refuse", "skip"]))]
    on_error: OnError,
    /// Tokenizer for annotated text
    #[arg(long, value_name = "NAME", default_value = "conll04", value_parser = named::<TokenizerConfig>(["conll04", "ade", "characters"]))]
    tokenizer: TokenizerConfig,
    /// Keep each annotated document as one sentence
    #[arg(long)]
    whole_documents: bool,
    /// How to treat entities that cut a token
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = named::<CutPolicy>(["widen", "refuse"]))]
    cut_tokens: CutPolicy,
    /// Key of the text in the tasks of Label Studio; default: `text`, else the one that fits
    #[arg(long, value_name = "KEY")]
    text_key: Option<String>,
    /// Read the predictions of Label Studio tasks that have no annotation
    #[arg(long)]
    predictions: bool,
}

/// A corpus format or the format of an annotation tool.
#[derive(Clone, Copy, Debug)]
enum AnyFormat {
    Corpus(Format),
    Annotation(AnnotationFormat),
}

impl FromStr for AnyFormat {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        name.parse().map(Self::Corpus).or_else(|_| name.parse().map(Self::Annotation))
    }
}

impl fmt::Display for AnyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corpus(format) => format.fmt(f),
            Self::Annotation(format) => format.fmt(f),
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
    let hinted = |error: DataError| args.types.hinted(error, Some("--on-error skip"));
    let from = match args.from {
        Some(from) => Some(from),
        None => recognize_annotations(&args.input)?.map(AnyFormat::Annotation),
    };
    let reader = args.types.reader()?.on_error(args.on_error);
    let corpus = match from {
        None => Corpus::read(&args.input, &reader),
        Some(AnyFormat::Corpus(format)) => Corpus::read(&args.input, &reader.format(format)),
        Some(AnyFormat::Annotation(format)) => {
            let options = AnnotationOptions {
                tokenizer: args.tokenizer,
                whole_documents: args.whole_documents,
                cut_tokens: args.cut_tokens,
                on_error: args.on_error,
                schema: args.types.schema()?,
                text_key: args.text_key.clone(),
                predictions: args.predictions,
            };
            let (sentences, losses) = read_annotations(&args.input, format, &options).map_err(hinted_annotation)?;
            note_losses(&losses);
            return Ok(sentences);
        }
    }
    .map_err(hinted)?;
    note_unusual(args.input.display(), &corpus);
    Ok(corpus.sentences)
}

fn write(args: &Args, sentences: &[Sentence]) -> Result<()> {
    // The writers report the record but not the file.
    let located = |error: DataError| {
        let file = if matches!(error, DataError::Io { .. }) { &args.output } else { &args.input };
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
            };
            written.map_err(located)
        })?,
    }
    note_losses(&losses);
    Ok(())
}

/// Adds the hint for a file of an annotation tool that cannot be read.
fn hinted_annotation(error: DataError) -> anyhow::Error {
    match error {
        DataError::Io { .. } | DataError::NoSentence { .. } | DataError::Foreign { .. } => error.into(),
        error => hint::hinted(error, "`--on-error skip` skips invalid records"),
    }
}
