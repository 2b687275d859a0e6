//! `cman view`: draws a corpus or predictions.

use std::{
    env,
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cman_data::{Corpus, ReaderBuilder, recognize_annotations, recognize_annotations_in};
use cman_view::{AnnotatedSentence, Page, TypeColours, read, read_from, terminal};

use crate::{
    corpus::{self, AnnotatedTextArgs, STDIN},
    losses::note_losses,
    output,
};

/// Draw a corpus or predictions: a self-contained HTML page, or lines for a terminal
///
/// The page filters by type, text and confidence. With --gold, it also shows what is right, wrong and missed, and filters
/// by it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman view test.json --out test.html
  cman view predicted.jsonl --gold test.json --out errors.html
  cman view test.json --color")]
pub struct Args {
    /// Corpus file, the output of `cman predict`, or a file or folder of an annotation tool; `-` is standard input
    #[arg(value_name = "FILE")]
    input: PathBuf,
    /// Gold annotation of the same sentences, in the same order
    #[arg(long, value_name = "FILE", conflicts_with = "color")]
    gold: Option<PathBuf>,
    /// HTML file to write; `-` is standard output; default: view.html
    #[arg(long, value_name = "FILE", conflicts_with = "color")]
    out: Option<PathBuf>,
    /// Print the sentences in place of a page; colours: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "auto",
        value_parser = ["auto", "always", "never"]
    )]
    color: Option<String>,
    #[command(flatten)]
    annotation: AnnotatedTextArgs,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let sentences = annotated(&args.input, args)?;
    if let Some(when) = &args.color {
        return print(&sentences, when);
    }
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("view.html"));
    let inputs: Vec<&Path> =
        [Some(&args.input), args.gold.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    output::refuse_inputs(&out, &inputs)?;
    let name = if output::is_stdout(&args.input) { Path::new(STDIN) } else { &args.input };
    let input = || name.display().to_string();
    let title = name.file_name().unwrap_or_default().to_string_lossy();
    let mut page = Page::new(title, sentences).with_context(input)?;
    if let Some(path) = &args.gold {
        let gold = annotated(path, args)?.into_iter().map(|annotated| annotated.sentence).collect();
        page = page.gold(gold).with_context(input)?;
    }
    let html = page.html();
    output::write(&out, |writer| writer.write_all(html.as_bytes()).with_context(|| out.display().to_string()))?;
    if !output::is_stdout(&out) {
        writeln!(io::stdout().lock(), "wrote {}", out.display())?;
    }
    Ok(())
}

/// Reads a corpus, predictions, or a file or folder of an annotation tool.
fn annotated(path: &Path, args: &Args) -> Result<Vec<AnnotatedSentence>> {
    let options = args.annotation.options();
    let (reader, plain) =
        (ReaderBuilder::new(), |corpus: Corpus| corpus.sentences.into_iter().map(Into::into).collect());
    if output::is_stdout(path) {
        let bytes = corpus::stdin()?;
        if recognize_annotations_in(&bytes, STDIN)?.is_none() {
            return Ok(read_from(&bytes, STDIN)?);
        }
        let (corpus, losses) = Corpus::read_any_from(&bytes, STDIN, &reader, &options)?;
        note_losses(&losses);
        return Ok(plain(corpus));
    }
    if path.is_dir() || recognize_annotations(path)?.is_some() {
        return Ok(plain(corpus::read(path, &reader, &options)?));
    }
    Ok(read(path)?)
}

/// Prints the sentences.
fn print(sentences: &[AnnotatedSentence], when: &str) -> Result<()> {
    let stdout = io::stdout().lock();
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let coloured = when == "always" || (when == "auto" && stdout.is_terminal() && !no_color);
    let colours = TypeColours::of(sentences.iter().map(|annotated| &annotated.sentence));
    let mut out = BufWriter::new(stdout);
    for annotated in sentences {
        out.write_all(terminal(&annotated.sentence, &colours, coloured).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}
