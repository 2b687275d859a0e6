//! Arguments that say how the parts are written.

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::hint::hinted;

/// How the parts are written.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub struct PartArgs {
    /// Format of the parts
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    pub to: PartFormat,
    /// Compression of the parts
    #[arg(long, value_name = "METHOD", default_value = "none")]
    pub compress: Compression,
    /// Records per part
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub part_records: u64,
    /// Add the text of each record to its row
    #[arg(long)]
    pub with_text: bool,
}

/// The format of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum PartFormat {
    /// One JSON object per line
    Jsonl,
    /// Parquet, if the program was built with `parquet`
    Parquet,
}

/// The compression of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// None; Parquet is always compressed inside
    None,
    /// gzip
    Gzip,
    /// zstd, if the program was built with `zstd`
    Zstd,
}

impl PartArgs {
    /// Refuses what the program was built without.
    pub fn check(&self) -> Result<()> {
        let feature = match (self.to, self.compress) {
            (PartFormat::Parquet, _) if cfg!(not(feature = "parquet")) => "parquet",
            (PartFormat::Jsonl, Compression::Zstd) if cfg!(not(feature = "zstd")) => "zstd",
            _ => return Ok(()),
        };
        let hint = format!("`cargo install --path crates/cman-cli --features {feature}` makes a program that has it");
        Err(hinted(anyhow!("this program was built without the feature `{feature}`"), hint))
    }

    /// The extension of the parts.
    pub fn extension(&self) -> &'static str {
        match (self.to, self.compress) {
            (PartFormat::Parquet, _) => "parquet",
            (PartFormat::Jsonl, Compression::None) => "jsonl",
            (PartFormat::Jsonl, Compression::Gzip) => "jsonl.gz",
            (PartFormat::Jsonl, Compression::Zstd) => "jsonl.zst",
        }
    }
}
