//! `cman split`: divides a corpus into train, dev and test, or into folds.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, Result, anyhow};
use cman_data::{Partition, Schema, Sentence, Statistics, TypeCount, partition, write_spert, write_types};
use cman_view::printable;

use crate::{
    args::TypesArgs,
    corpus::{self, AnnotatedTextArgs},
    hint::hinted,
    notes::{note, note_unusual},
    output,
};

/// Divide a corpus into train, dev and test, or into folds
///
/// The parts are balanced by relation and entity types. Sentences with the same tokens, and with `--documents` those of
/// one document, are in one part. The same sentences and seed give the same parts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman split annotated.json --out corpus
  cman split annotated.json --out corpus --parts 70/0/30 --documents -
  cman split annotated.json --out folds --folds 10")]
pub struct Args {
    /// Corpus files, or files and folders of annotation tools; all their sentences are divided; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Folder to write: train.json, dev.json, test.json and types.json, or fold_0_train.json, fold_0_test.json and so on
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Sizes of train, dev and test, in any unit; a part of size 0 is not written
    #[arg(long, value_name = "TRAIN/DEV/TEST", default_value = "80/10/10")]
    parts: Sizes,
    /// Write K pairs of train and test in place of the parts; each sentence is in one test file
    #[arg(long, value_name = "K", conflicts_with = "parts", value_parser = clap::value_parser!(u16).range(2..))]
    folds: Option<u16>,
    /// Seed of the division
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Keep documents together: an id up to the last of this text, such as `-` in `report7-12`, names the document
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    documents: Option<String>,
    #[command(flatten)]
    types: TypesArgs,
    /// Replace files of earlier splits
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    annotation: AnnotatedTextArgs,
}

/// Relative sizes of train, dev and test.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sizes([f64; 3]);

impl FromStr for Sizes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sizes: Result<Vec<f64>, _> = text.split('/').map(|size| size.trim().parse()).collect();
        match sizes.as_deref() {
            Ok(&[train, dev, test])
                if [train, dev, test].iter().all(|size| (0.0..1e9).contains(size))
                    && train > 0.0
                    && dev + test > 0.0 =>
            {
                Ok(Self([train, dev, test]))
            }
            _ => Err("expected the sizes of train, dev and test, such as 80/10/10, with at least two of them above 0"),
        }
    }
}

/// A file to write.
struct File {
    name: String,
    sentences: Vec<usize>,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let (sentences, schema) = read(args)?;
    if let Some(separator) = &args.documents
        && sentences.iter().all(|sentence| document(sentence, Some(separator)).is_none())
    {
        note(format_args!("no id has {separator:?} of `--documents`: each sentence is a document of its own"));
    }
    output::refuse_inputs_in(&args.out, &args.files)?;
    let weights = match args.folds {
        Some(folds) if usize::from(folds) > sentences.len() => {
            return Err(anyhow!(
                "{folds} folds of {} sentences: expected at most one fold per sentence",
                sentences.len()
            ));
        }
        Some(folds) => vec![1.0; folds.into()],
        None => args.parts.0.to_vec(),
    };
    let Partition { parts, groups, repeated } =
        partition(&sentences, &weights, args.seed, |sentence| document(sentence, args.documents.as_deref()));
    let named = |(part, name): (&Vec<usize>, &str)| File { name: name.into(), sentences: part.clone() };
    let files: Vec<File> = match args.folds {
        None => parts.iter().zip(["train", "dev", "test"]).map(named).collect(),
        Some(_) => (0..parts.len()).flat_map(|fold| fold_files(fold, &parts)).collect(),
    };
    let files: Vec<File> = files.into_iter().filter(|file| !file.sentences.is_empty()).collect();
    let expected = if args.folds.is_some() { 2 * weights.len() } else { weights.iter().filter(|&&w| w > 0.0).count() };
    if files.len() < expected {
        let text = "fewer parts, or without `--documents`";
        return Err(hinted(anyhow!("{groups} groups of sentences do not fill every part"), text));
    }
    if repeated > 0 {
        note(format_args!("{repeated} sentences repeat an earlier one; they are in its part"));
    }
    write(args, &files, &sentences, &schema)?;
    print(&files, &sentences)
}

fn read(args: &Args) -> Result<(Vec<Sentence>, Schema)> {
    let options = args.types.reader()?;
    let (mut sentences, mut schema) = (Vec::new(), Schema::default());
    for path in &args.files {
        let corpus =
            corpus::read(path, &options, &args.annotation.options()).map_err(|error| args.types.hinted(error, None))?;
        note_unusual(path.display(), &corpus);
        schema.extend(&corpus.schema);
        sentences.extend(corpus.sentences);
    }
    Ok((sentences, schema))
}

/// The document of a sentence, if ids name it.
fn document<'a>(sentence: &'a Sentence, separator: Option<&str>) -> Option<&'a str> {
    sentence.id.as_str().rsplit_once(separator?).map(|(document, _)| document)
}

fn fold_files(fold: usize, parts: &[Vec<usize>]) -> [File; 2] {
    let mut train: Vec<usize> =
        parts.iter().enumerate().filter(|(i, _)| *i != fold).flat_map(|(_, p)| p).copied().collect();
    train.sort_unstable();
    let file = |part, sentences| File { name: format!("fold_{fold}_{part}"), sentences };
    [file("train", train), file("test", parts[fold].clone())]
}

/// The files of an earlier split in this folder, sorted.
fn earlier(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        let stem = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json"));
        let is_part = |stem: &str| match stem.strip_prefix("fold_").and_then(|rest| rest.split_once('_')) {
            Some((number, part)) => number.parse::<u16>().is_ok() && matches!(part, "train" | "test"),
            None => matches!(stem, "train" | "dev" | "test" | "types"),
        };
        if stem.is_some_and(is_part) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn write(args: &Args, files: &[File], sentences: &[Sentence], schema: &Schema) -> Result<()> {
    let path = |name: &str| args.out.join(format!("{name}.json"));
    let earlier = earlier(&args.out)?;
    if let (Some(existing), false) = (earlier.first(), args.force) {
        return Err(hinted(anyhow!("{}: exists already", existing.display()), "`--force` replaces the earlier split"));
    }
    fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    // A part of an earlier split would share sentences with this one.
    for path in earlier {
        fs::remove_file(&path).with_context(|| path.display().to_string())?;
    }
    for file in files {
        let sentences = file.sentences.iter().map(|&i| &sentences[i]);
        output::write(&path(&file.name), |writer| Ok(write_spert(sentences, writer)?))?;
    }
    output::write(&path("types"), |writer| Ok(write_types(schema, writer)?))
}

/// A table of the files: sentences, entities and relations by type.
fn print(files: &[File], sentences: &[Sentence]) -> Result<()> {
    let of = |indices: &[usize]| Statistics::of(&indices.iter().map(|&i| sentences[i].clone()).collect::<Vec<_>>());
    let all = Statistics::of(sentences);
    let statistics: Vec<Statistics> = files.iter().map(|file| of(&file.sentences)).collect();
    let mut rows = vec![row("sentences", &statistics, |s| s.sentences), row("entities", &statistics, |s| s.entities)];
    rows.extend(
        all.entity_types.iter().map(|kind| row(&kind.name, &statistics, |s| count(&s.entity_types, &kind.name))),
    );
    rows.push(row("relations", &statistics, |s| s.relations));
    rows.extend(
        all.relation_types.iter().map(|kind| row(&kind.name, &statistics, |s| count(&s.relation_types, &kind.name))),
    );
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let columns: Vec<usize> = files.iter().map(|file| file.name.chars().count().max(6)).collect();
    let mut out = io::stdout().lock();
    write!(out, "{:width$}", "")?;
    for (file, column) in files.iter().zip(&columns) {
        write!(out, "  {:>column$}", file.name)?;
    }
    writeln!(out)?;
    for (name, counts) in rows {
        write!(out, "{name:width$}")?;
        for (count, column) in counts.iter().zip(&columns) {
            write!(out, "  {count:>column$}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn row(name: &str, statistics: &[Statistics], count: impl Fn(&Statistics) -> usize) -> (String, Vec<usize>) {
    (printable(name), statistics.iter().map(count).collect())
}

fn count(types: &[TypeCount], name: &str) -> usize {
    types.iter().find(|kind| kind.name == name).map_or(0, |kind| kind.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_three_numbers() {
        assert_eq!("80/10/10".parse(), Ok(Sizes([80.0, 10.0, 10.0])));
        assert_eq!("0.7 / 0 / 0.3".parse(), Ok(Sizes([0.7, 0.0, 0.3])));
        for text in ["", "80", "80/20", "100/0/0", "0/50/50", "80/-10/30", "80/10/x", "inf/1/1", "NaN/1/1"] {
            assert!(text.parse::<Sizes>().is_err(), "{text}");
        }
    }
}
