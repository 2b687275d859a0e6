//! Compares two tables row by row, and says how far their numbers differ.
//!
//! `cargo run --release --example same_rows -- A B id`: the last argument names the columns that identify a row.

use std::env;

use anyhow::{bail, ensure};
use arrow_json::ArrayWriter;
use datafusion::arrow::record_batch::RecordBatch;
use serde_json::Value;

/// The most that two confidences may differ.
const TOLERANCE: f64 = 1e-5;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [a, b, key] = &args[..] else { bail!("expected two tables and the columns of the key") };
    let (left, right) = (rows(a, key).await?, rows(b, key).await?);
    ensure!(left.len() == right.len(), "{} rows and {} rows", left.len(), right.len());
    ensure!(!left.is_empty(), "no rows");
    let mut most = 0.0f64;
    for (left, right) in left.iter().zip(&right) {
        let Some(difference) = difference(left, right) else { bail!("rows differ:\n{left}\n{right}") };
        most = most.max(difference);
    }
    ensure!(most <= TOLERANCE, "numbers differ by up to {most}");
    println!("{} rows, numbers differ by at most {most}", left.len());
    Ok(())
}

async fn rows(table: &str, key: &str) -> anyhow::Result<Vec<Value>> {
    let context = cman_sql::embedded(1)?;
    let batches: Vec<RecordBatch> =
        context.sql(&format!("SELECT * FROM '{table}' ORDER BY {key}")).await?.collect().await?;
    let mut json = Vec::new();
    let mut writer = ArrayWriter::new(&mut json);
    writer.write_batches(&batches.iter().collect::<Vec<_>>())?;
    writer.finish()?;
    Ok(serde_json::from_slice(&json)?)
}

/// How far the numbers of two values differ; `None` if anything else differs.
fn difference(a: &Value, b: &Value) -> Option<f64> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some((a.as_f64()? - b.as_f64()?).abs()),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_fold(0.0f64, |most, (a, b)| Some(most.max(difference(a, b)?)))
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            a.iter().try_fold(0.0f64, |most, (key, a)| Some(most.max(difference(a, b.get(key)?)?)))
        }
        _ => (a == b).then_some(0.0),
    }
}
