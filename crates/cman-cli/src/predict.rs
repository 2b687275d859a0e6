//! `cman predict`: streams text and extracts entities and relations.

use std::{
    fmt::Display,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use cman_data::{
    DataError, Input, InputFormat, InputOptions, InputRecord, Location, LongTokens, Sentence, TokenizerConfig,
    is_unsegmented,
};
use cman_model::{Extraction, Extractor};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    args::{ModelArgs, named},
    extract_args::{ExtractArgs, Refusal},
    hint::hinted,
    notes::{note, note_long_tokens},
    output::{is_same_file, is_stdout},
    pre_annotation::{PreAnnotationArgs, Tasks},
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
    /// File to read; `-` is standard input
    #[arg(value_name = "INPUT", default_value = "-")]
    input: PathBuf,
    /// File to write, or new folder for `--to brat`; default: standard output
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    output: PathBuf,
    #[command(flatten)]
    tasks: PreAnnotationArgs,
    /// Input format; default: recognized from its start
    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = named::<InputFormat>(["text", "jsonl", "spert", "multihead", "columns"])
    )]
    format: Option<InputFormat>,
    #[command(flatten)]
    extract: ExtractArgs,
}

/// One line of output.
#[derive(Serialize)]
struct OutputLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    /// Start of the sentence in the record's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    #[serde(flatten)]
    extraction: &'a Extraction,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let from_stdin = is_stdout(&args.input);
    let name = if from_stdin { "standard input".into() } else { args.input.display().to_string() };
    let input: Box<dyn BufRead> = if from_stdin {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::with_capacity(1 << 16, File::open(&args.input).with_context(|| name.clone())?))
    };
    let extractor = args.extract.apply(&Extractor::new(args.model.load()?))?;
    // Interactive input gets an answer to each line.
    let interactive = from_stdin && io::stdin().is_terminal();
    if interactive {
        note("reading text from the terminal, one line at a time; Ctrl-D ends the input");
    }
    let options =
        InputOptions { format: args.format, tokenizer: extractor.model().config().data.tokenizer, interactive };
    let tasks = args.tasks.open(&args.output, &args.input, args.model.name(), extractor.model().schema())?;
    let mut stream = Stream {
        extractor: &extractor,
        out: if tasks.is_some() { Box::new(io::sink()) } else { open(&args.output, &args.input)? },
        tasks,
        out_name: args.output.display().to_string(),
        window: if interactive { 1 } else { WINDOW },
        long: LongTokens::default(),
        in_windows: None,
        queue: Vec::new(),
        name,
        skipped: 0,
        warned: false,
    };
    stream.read(input, &options)?;
    if let Some((first, count)) = &stream.in_windows {
        let sentences = if *count == 1 { "1 sentence".into() } else { format!("{count} sentences") };
        note(format_args!(
            "{first}: {sentences} read in overlapping windows; relations between entities farther apart are not found"
        ));
    }
    if let Some(tasks) = stream.tasks.take() {
        tasks.finish()?;
    }
    note_long_tokens(&stream.name, &stream.long, &extractor.model().config().model);
    match stream.skipped {
        0 => Ok(()),
        skipped => bail!("{}: {skipped} invalid {} skipped", stream.name, record_noun(skipped)),
    }
}

fn record_noun(count: usize) -> &'static str {
    if count == 1 { "record" } else { "records" }
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

/// Predicts a stream of sentences in order.
struct Stream<'a> {
    extractor: &'a Extractor,
    out: Box<dyn Write>,
    /// Tasks of an annotation tool that are written instead.
    tasks: Option<Tasks>,
    out_name: String,
    window: usize,
    long: LongTokens,
    /// The first sentence that is read in windows, and how many there are.
    in_windows: Option<(String, usize)>,
    queue: Vec<Queued>,
    name: String,
    skipped: usize,
    /// Whether the warning of a script without spaces was printed.
    warned: bool,
}

impl Stream<'_> {
    fn read(&mut self, input: impl BufRead, options: &InputOptions) -> Result<()> {
        let mut input = Input::open(input, &self.name, options).map_err(|error| {
            let format = "`--format` names the format of an input that is recognized wrongly";
            match &error {
                DataError::Foreign { hint: Some(hint), .. } => {
                    let hint = format!("{hint}; {format}");
                    hinted(error, hint)
                }
                DataError::Foreign { hint: None, .. } => hinted(error, format),
                _ => error.into(),
            }
        })?;
        while let Some(record) = input.next()? {
            match record {
                Ok(record) => {
                    self.warn_of_script(&record);
                    self.enqueue(record)?;
                }
                Err(error) => self.skip(&error),
            }
        }
        let skipped = input.skipped();
        for group in skipped.groups() {
            note(group);
        }
        self.skipped += skipped.total();
        self.write()
    }

    /// Warns once if the tokenizer of the model does not cut the script of a text.
    fn warn_of_script(&mut self, record: &InputRecord) {
        let tokenizer = self.extractor.model().config().data.tokenizer;
        let is_cut = |(offset, sentence): &(Option<usize>, _)| offset.is_none() || !is_unsegmented(sentence);
        if self.warned || tokenizer == TokenizerConfig::Characters || record.sentences.iter().all(is_cut) {
            return;
        }
        self.warned = true;
        let reason = format!(
            "a text without spaces between words, but the tokenizer of the model, {tokenizer}, cuts words at spaces; give \
             such text as JSON lines with `tokens`, or train a model on texts cut into characters or with `--set \
             data.tokenizer=characters`"
        );
        note(format_args!("warning: {}", record.at.message(&reason)));
    }

    /// Queues the sentences of a record, and predicts them when the window is full.
    fn enqueue(&mut self, record: InputRecord) -> Result<()> {
        let task = self.tasks.as_mut().map_or(0, |tasks| tasks.start(&record));
        for (offset, sentence) in record.sentences {
            match self.extractor.check(&sentence) {
                Ok(()) => {
                    self.long.count(&sentence, &record.at);
                    self.count_windows(&sentence, &record.at);
                    self.queue.push(Queued { id: record.id.clone(), offset, sentence, task });
                }
                Err(error) => {
                    let reason = Refusal { error: &error, tokens: sentence.len() }.to_string();
                    self.skip(&record.at.message(&reason));
                }
            }
            if self.queue.len() >= self.window {
                self.write()?;
            }
        }
        Ok(())
    }

    fn count_windows(&mut self, sentence: &Sentence, at: &Location) {
        let most = self.extractor.options().max_tokens;
        if sentence.len() > most {
            let reason = format!("sentence of {} tokens, above the {most} of --max-tokens", sentence.len());
            self.in_windows.get_or_insert_with(|| (at.message(&reason).to_string(), 0)).1 += 1;
        }
    }

    fn skip(&mut self, message: &dyn Display) {
        self.skipped += 1;
        note(message);
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
            let mut line = serde_json::to_vec(&OutputLine { id: id.as_deref(), offset: *offset, extraction })?;
            line.push(b'\n');
            self.out.write_all(&line).with_context(|| self.out_name.clone())?;
        }
        self.out.flush().with_context(|| self.out_name.clone())
    }
}
