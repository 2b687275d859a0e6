//! Corpora of any format: those of the field, those of annotation tools, and standard input.

use std::{
    io::{self, Read},
    path::Path,
};

use anyhow::Result;
use cman_data::{AnnotationOptions, Corpus, CutPolicy, DataError, Location, Losses, ReaderBuilder, TokenizerConfig};

use crate::{args::named, losses::note_losses, output::is_stdout};

/// The name of standard input in messages.
pub const STDIN: &str = "standard input";

/// How the files of annotation tools are read.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Annotation tools")]
pub struct AnnotationArgs {
    /// Keep each annotated document as one sentence
    #[arg(long)]
    whole_documents: bool,
    /// How to treat entities that cut a token
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = named::<CutPolicy>(["widen", "refuse"]))]
    cut_tokens: CutPolicy,
    /// Key of the text in the tasks of Label Studio; default: `text`, else the one that fits
    #[arg(long, value_name = "KEY")]
    text_key: Option<String>,
}

/// The same, where no model says how text is cut into tokens.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Annotation tools")]
pub struct AnnotatedTextArgs {
    #[command(flatten)]
    annotation: AnnotationArgs,
    /// Tokenizer for annotated text
    #[arg(long, value_name = "NAME", default_value = "conll04", value_parser = named::<TokenizerConfig>(["conll04", "ade", "characters"]))]
    tokenizer: TokenizerConfig,
    /// Read the predictions of Label Studio tasks that have no annotation
    #[arg(long)]
    predictions: bool,
}

impl AnnotationArgs {
    /// The options of the reader, with this tokenizer.
    pub fn options(&self, tokenizer: TokenizerConfig) -> AnnotationOptions {
        AnnotationOptions {
            tokenizer,
            whole_documents: self.whole_documents,
            cut_tokens: self.cut_tokens,
            text_key: self.text_key.clone(),
            ..AnnotationOptions::default()
        }
    }
}

impl AnnotatedTextArgs {
    /// The options of the reader.
    pub fn options(&self) -> AnnotationOptions {
        AnnotationOptions { predictions: self.predictions, ..self.annotation.options(self.tokenizer) }
    }
}

/// Reads a corpus of any format, recognized from its content; `-` is standard input. Prints what annotation is left out
/// or changed.
pub fn read(path: &Path, reader: &ReaderBuilder, annotation: &AnnotationOptions) -> Result<Corpus, DataError> {
    let (corpus, losses) = read_quietly(path, reader, annotation)?;
    note_losses(&losses);
    Ok(corpus)
}

/// Reads a corpus as [`read`] does. Returns the losses.
pub fn read_quietly(
    path: &Path,
    reader: &ReaderBuilder,
    annotation: &AnnotationOptions,
) -> Result<(Corpus, Losses), DataError> {
    if is_stdout(path) {
        return Corpus::read_any_from(&stdin()?, STDIN, reader, annotation);
    }
    Corpus::read_any(path, reader, annotation)
}

/// All of standard input.
pub fn stdin() -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|source| DataError::Io { at: Box::new(Location::file(STDIN)), source })?;
    Ok(bytes)
}
