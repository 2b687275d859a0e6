//! `cman view`: draws a corpus or predictions.

use std::{
    env,
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cman_view::{AnnotatedSentence, Page, TypeColours, read, terminal};

use crate::output;

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
    /// Corpus file, or the output of `cman predict`
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
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let sentences = read(&args.input)?;
    if let Some(when) = &args.color {
        return print(&sentences, when);
    }
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("view.html"));
    let inputs: Vec<&Path> =
        [Some(&args.input), args.gold.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    output::refuse_inputs(&out, &inputs)?;
    let input = || args.input.display().to_string();
    let title = args.input.file_name().unwrap_or_default().to_string_lossy();
    let mut page = Page::new(title, sentences).with_context(input)?;
    if let Some(path) = &args.gold {
        let gold = read(path)?.into_iter().map(|annotated| annotated.sentence).collect();
        page = page.gold(gold).with_context(input)?;
    }
    let html = page.html();
    output::write(&out, |writer| writer.write_all(html.as_bytes()).with_context(|| out.display().to_string()))?;
    if !output::is_stdout(&out) {
        writeln!(io::stdout().lock(), "wrote {}", out.display())?;
    }
    Ok(())
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
