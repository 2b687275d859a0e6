//! `cman predict`: streams text and extracts entities and relations.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use cman_data::{InputRecord, Sentence};
use cman_model::Extractor;
use serde_json::value::RawValue;

use crate::{
    args::ModelArgs,
    extract_args::ExtractArgs,
    output::{is_same_file, is_stdout},
    output_line::OutputLine,
    pre_annotation::{PreAnnotationArgs, Tasks},
    sentences::{InputArgs, Sentences},
};

/// Number of sentences that are predicted together.
const WINDOW: usize = 256;

/// Extract entities and relations from text
///
/// Reads lines of text, JSON records with `text` or `tokens` (an array, or one per line), or a corpus file by its tokens,
/// and writes one JSON object per sentence. Invalid records are reported with their line and skipped; the exit status is
/// then 1. Text is cut into tokens as the training data of the model was (`data.tokenizer`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  echo 'Ada Lovelace lived in London.' | cman predict
  echo 'Ada Lovelace lived in London.' | cman predict --model model
  cman predict --model model documents.jsonl --output found.jsonl
  cman predict --model model conll04_test.json
  cman predict --model model documents.jsonl --to label-studio --output tasks.json
where documents.jsonl has lines such as
  {\"id\": 7, \"text\": \"Ada Lovelace lived in London.\"}
  {\"id\": 8, \"tokens\": [\"Ada\", \"Lovelace\", \"lived\", \"in\", \"London\", \".\"]}")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    input: InputArgs,
    /// File to write, or new folder for `--to brat`; default: standard output
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    output: PathBuf,
    #[command(flatten)]
    tasks: PreAnnotationArgs,
    #[command(flatten)]
    extract: ExtractArgs,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let input = args.input.open()?;
    let extractor = args.extract.apply(&Extractor::new(args.model.load()?))?;
    let tasks = args.tasks.open(&args.output, args.input.path(), args.model.name(), extractor.model().schema())?;
    let mut predictions = Predictions {
        extractor: &extractor,
        out: if tasks.is_some() { Box::new(io::sink()) } else { open(&args.output, args.input.path())? },
        tasks,
        out_name: args.output.display().to_string(),
        // Interactive input gets an answer to each line.
        window: if input.is_interactive() { 1 } else { WINDOW },
        queue: Vec::new(),
    };
    let sentences = Sentences::read(input, &extractor, |record| predictions.enqueue(record))?;
    predictions.write()?;
    if let Some(tasks) = predictions.tasks.take() {
        tasks.finish()?;
    }
    sentences.finish()
}

/// Opens the output.
fn open(output: &Path, input: &Path) -> Result<Box<dyn Write>> {
    if is_stdout(output) {
        return Ok(Box::new(BufWriter::with_capacity(1 << 16, io::stdout().lock())));
    }
    let name = || output.display().to_string();
    if is_same_file(output, input) {
        bail!("{}: the output is the input file", output.display());
    }
    Ok(Box::new(BufWriter::with_capacity(1 << 16, File::create(output).with_context(name)?)))
}

/// A sentence with the id of its record and its offset in the record's text.
struct Queued {
    id: Option<Box<RawValue>>,
    offset: Option<usize>,
    sentence: Sentence,
    /// Number of the task, if tasks are written.
    task: usize,
}

/// Predicts sentences in order.
struct Predictions<'a> {
    extractor: &'a Extractor,
    out: Box<dyn Write>,
    /// Tasks of an annotation tool that are written instead.
    tasks: Option<Tasks>,
    out_name: String,
    window: usize,
    queue: Vec<Queued>,
}

impl Predictions<'_> {
    /// Queues the sentences of a record, and predicts them when the window is full.
    fn enqueue(&mut self, record: InputRecord) -> Result<()> {
        let task = self.tasks.as_mut().map_or(0, |tasks| tasks.start(&record));
        for (offset, sentence) in record.sentences {
            self.queue.push(Queued { id: record.id.clone(), offset, sentence, task });
            if self.queue.len() >= self.window {
                self.write()?;
            }
        }
        Ok(())
    }

    /// Predicts and writes the queued sentences.
    fn write(&mut self) -> Result<()> {
        let (origins, sentences): (Vec<_>, Vec<_>) =
            self.queue.drain(..).map(|queued| ((queued.id, queued.offset, queued.task), queued.sentence)).unzip();
        let extractions = self.extractor.extract_sentences(&sentences)?;
        for (((id, offset, task), sentence), extraction) in origins.iter().zip(&sentences).zip(&extractions) {
            if let Some(tasks) = &mut self.tasks {
                tasks.add(*task, *offset, sentence, extraction)?;
                continue;
            }
            let mut line = serde_json::to_vec(&OutputLine { id: id.as_deref(), offset: *offset, found: extraction })?;
            line.push(b'\n');
            self.out.write_all(&line).with_context(|| self.out_name.clone())?;
        }
        self.out.flush().with_context(|| self.out_name.clone())
    }
}
