//! Writes a folder of Parquet files with short documents, made of the sentences of the sample corpus.
//!
//! `cargo run --release --example documents -- FOLDER ROWS FILES`

use std::{env, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use cman_data::sample;
use cman_sql::Output;
use datafusion::arrow::{
    array::{ArrayRef, Int64Array, ListBuilder, StringArray, StringBuilder},
    record_batch::RecordBatch,
};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [folder, rows, files] = &args[..] else { bail!("expected FOLDER ROWS FILES") };
    let (folder, rows, files) = (PathBuf::from(folder), rows.parse::<usize>()?, files.parse::<usize>()?);
    let corpus = sample::corpus()?;
    let sentences: Vec<Vec<String>> =
        corpus.train.sentences.iter().map(|sentence| sentence.words().map(str::to_owned).collect()).collect();
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for file in 0..files {
        let batch = documents(&sentences, rows * file / files..rows * (file + 1) / files)?;
        let mut output = Output::file(&folder.join(format!("docs-{file:04}.parquet")))?;
        output.write(&batch)?;
        output.finish(batch.schema())?;
    }
    Ok(())
}

/// The documents with these numbers: one to four sentences. One of a hundred is null, one is empty.
fn documents(sentences: &[Vec<String>], numbers: std::ops::Range<usize>) -> anyhow::Result<RecordBatch> {
    let ids: ArrayRef =
        Arc::new(Int64Array::from_iter(numbers.clone().map(i64::try_from).collect::<Result<Vec<_>, _>>()?));
    let texts = numbers.clone().map(|number| match number % 100 {
        7 => None,
        8 => Some(String::new()),
        _ => {
            let words = (0..1 + number % 4).map(|i| sentences[(number * 7 + i * 31) % sentences.len()].join(" "));
            Some(words.collect::<Vec<_>>().join(" "))
        }
    });
    let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
    let mut tokens = ListBuilder::new(StringBuilder::new());
    for number in numbers {
        tokens.append_value(sentences[number % sentences.len()].iter().map(Some));
    }
    let columns = [("id", ids, false), ("text", texts, true), ("tokens", Arc::new(tokens.finish()) as ArrayRef, true)];
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
