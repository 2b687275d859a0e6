//! `cman suggest`: the sentences whose annotation would teach a model most.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::ValueEnum;
use cman_data::{Id, InputRecord, Location, NearDuplicates, ReaderBuilder, Sentence};
use cman_model::{Criterion, Extractor, Uncertainty};
use serde_json::value::RawValue;

use crate::{
    args::ModelArgs,
    corpus::{self, AnnotationArgs},
    extract_args::FilterArgs,
    notes::note,
    output,
    output_line::OutputLine,
    pre_annotation::{PreAnnotationArgs, Tasks, id},
    sentences::{InputArgs, Sentences},
};

/// Number of sentences that are predicted together.
const WINDOW: usize = 256;

/// Pick the sentences of a pool that are worth annotating next
///
/// These are the sentences of whose tags and relations the model is least sure. Sentences that are nearly the same as one before, or as one that is annotated already, are left out. The sentences are
/// written with the predictions to correct, the least probable first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman suggest pool.txt --model model --n 100 --to label-studio --output tasks.json
  cman suggest pool.jsonl --model model --annotated corpus/train.json --to doccano --output tasks.jsonl")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    pool: InputArgs,
    /// Number of sentences to pick
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    n: u32,
    /// Corpus of sentences that are annotated already; may be repeated
    #[arg(long, value_name = "FILE")]
    annotated: Vec<PathBuf>,
    /// Which sentences come first
    #[arg(long, value_name = "CRITERION", default_value = "answer")]
    by: By,
    /// Leave out sentences that have this share of their words in common with another (Jaccard index)
    #[arg(long, value_name = "SHARE", default_value = "0.7", value_parser = share)]
    near_duplicate: f64,
    /// File to write, or new folder for `--to brat`; default: standard output
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    output: PathBuf,
    #[command(flatten)]
    tasks: PreAnnotationArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    annotation: AnnotationArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// Those whose most probable answer is least probable
    Answer,
    /// The same, per token, if annotation costs as much as there are tokens
    Token,
    /// Those that come early both by their tags and by their relations
    Ranks,
}

impl From<By> for Criterion {
    fn from(by: By) -> Self {
        match by {
            By::Answer => Self::Answer,
            By::Token => Self::Token,
            By::Ranks => Self::Ranks,
        }
    }
}

fn share(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0).ok_or("expected a share above 0 and at most 1")
}

/// A sentence of the pool.
struct Candidate {
    id: Option<Box<RawValue>>,
    at: Location,
    /// Its place among the sentences of its record, if there are others.
    number: Option<usize>,
    offset: Option<usize>,
    sentence: Sentence,
}

impl Candidate {
    /// The sentence as a record of its own.
    fn record(&self) -> InputRecord {
        let id = self.id.as_deref().map(id).or_else(|| self.at.record.or(self.at.line).map(Id::from));
        let id = match (id, self.number) {
            (Some(id), Some(number)) => Some(Id::name(format!("{id}-{number}"))),
            (id, _) => id,
        };
        InputRecord {
            id: id.and_then(|id| serde_json::value::to_raw_value(&id).ok()),
            at: self.at.clone(),
            text: self.sentence.text.clone(),
            sentences: Vec::new(),
        }
    }
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let pool = args.pool.open()?;
    let extractor = args.filter.apply(&Extractor::new(args.model.load()?))?;
    output::refuse_inputs(&args.output, &[args.pool.path()])?;
    let schema = extractor.model().schema();
    let tasks = args.tasks.open(&args.output, args.pool.path(), args.model.name(), schema)?;
    let mut near = NearDuplicates::new(args.near_duplicate);
    let options = args.annotation.options(extractor.model().config().data.tokenizer);
    for path in &args.annotated {
        let corpus = corpus::read(path, &ReaderBuilder::new(), &options)?;
        corpus.sentences.iter().for_each(|sentence| near.insert(sentence));
    }
    let (mut candidates, mut uncertainties) = (Vec::new(), Vec::new());
    let read = Sentences::read(pool, &extractor, |record| {
        candidates.extend(of_record(record));
        if candidates.len() - uncertainties.len() >= WINDOW {
            measure(&extractor, &candidates, &mut uncertainties)?;
        }
        Ok(())
    })?;
    measure(&extractor, &candidates, &mut uncertainties)?;
    if candidates.is_empty() {
        return Err(anyhow!("{}: no sentence to pick from", args.pool.path().display()));
    }
    let order = Criterion::from(args.by).order(&uncertainties);
    let mut left_out = 0;
    let is_new = |i: &usize| {
        let is_new = near.insert_new(&candidates[*i].sentence);
        left_out += usize::from(!is_new);
        is_new
    };
    let picked: Vec<usize> = order.into_iter().filter(is_new).take(args.n as usize).collect();
    note(format_args!(
        "{} of {} sentences picked, {left_out} near-duplicates left out",
        picked.len(),
        candidates.len()
    ));
    write(args, tasks, &extractor, &picked.iter().map(|&i| &candidates[i]).collect::<Vec<_>>())?;
    read.finish()
}

fn of_record(record: InputRecord) -> impl Iterator<Item = Candidate> {
    let InputRecord { id, at, sentences, .. } = record;
    let several = sentences.len() > 1;
    (1..).zip(sentences).map(move |(number, (offset, sentence))| Candidate {
        id: id.clone(),
        at: at.clone(),
        number: several.then_some(number),
        offset,
        sentence,
    })
}

/// Adds the uncertainty and the number of tokens of the candidates that are not measured yet.
fn measure(extractor: &Extractor, candidates: &[Candidate], known: &mut Vec<(Uncertainty, usize)>) -> Result<()> {
    let sentences: Vec<Sentence> = candidates[known.len()..].iter().map(|c| c.sentence.clone()).collect();
    let found = extractor.extract_uncertain(&sentences)?;
    known.extend(found.iter().zip(&sentences).map(|(found, sentence)| (found.uncertainty, sentence.len())));
    Ok(())
}

/// Writes sentences with their predictions.
fn write(args: &Args, tasks: Option<Tasks>, extractor: &Extractor, picked: &[&Candidate]) -> Result<()> {
    let sentences: Vec<Sentence> = picked.iter().map(|candidate| candidate.sentence.clone()).collect();
    let found = extractor.extract_uncertain(&sentences)?;
    if let Some(mut tasks) = tasks {
        for (candidate, found) in picked.iter().zip(&found) {
            let task = tasks.start(&candidate.record());
            tasks.add(task, None, &candidate.sentence, &found.extraction)?;
        }
        return tasks.finish();
    }
    output::write(&args.output, |writer| {
        for (candidate, found) in picked.iter().zip(&found) {
            let line = OutputLine { id: candidate.id.as_deref(), offset: candidate.offset, found };
            writeln!(writer, "{}", serde_json::to_string(&line)?).with_context(|| args.output.display().to_string())?;
        }
        Ok(())
    })
}
