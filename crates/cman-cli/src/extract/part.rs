//! The parts of the output.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cman_data::file::Draft;
use cman_model::Document;
use flate2::{Compression as Level, write::GzEncoder};
use serde::Serialize;

use super::{
    job::{Counts, Manifest, WrittenPart},
    part_args::{Compression, PartArgs},
    records::Window,
    row::{Rejected, Row},
};

/// The start of the names of files that have what could not be read. Engines of tables pass over such names.
pub const REJECTED: &str = "_rejected-";

/// Writes one part after another.
pub struct Parts<'a> {
    out: &'a Path,
    args: &'a PartArgs,
    manifest: &'a mut Manifest,
    open: Option<Part>,
}

impl<'a> Parts<'a> {
    /// Parts in the folder `out`, after those of the manifest.
    pub fn new(out: &'a Path, args: &'a PartArgs, manifest: &'a mut Manifest) -> Self {
        Self { out, args, manifest, open: None }
    }

    /// Writes the records of a window. A part that is full gets its name, and the manifest lists it.
    pub fn add(&mut self, window: Window, documents: Vec<Document>) -> Result<()> {
        let Window { texts, rejected, records, end, is_last } = window;
        let mut part = match self.open.take() {
            Some(part) => part,
            None if is_last && records == 0 && rejected.is_empty() => return self.manifest.complete(),
            None => Part::create(self.out, self.manifest.parts(), self.args)?,
        };
        part.counts.records += records;
        part.counts.rejected += rejected.len() as u64;
        let rows = texts.into_iter().zip(documents).map(|((origin, text), document)| Row {
            origin,
            text: self.args.with_text.then(|| text.text().to_owned()),
            document,
        });
        part.write(&rows.collect::<Vec<_>>())?;
        part.reject(&rejected)?;
        if is_last || part.counts.records == self.args.part_records {
            let (file, counts) = part.publish()?;
            self.manifest.add(WrittenPart { file, counts, end }, is_last)
        } else {
            self.open = Some(part);
            Ok(())
        }
    }
}

/// A part that is being written.
struct Part {
    file: String,
    draft: Draft,
    rows: Rows,
    rejected: Option<(Draft, BufWriter<File>)>,
    /// The name of the file of what cannot be read.
    rejected_file: PathBuf,
    counts: Counts,
}

/// What the rows are written to.
enum Rows {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
    #[cfg(feature = "parquet")]
    Parquet(super::table::TableWriter),
}

impl Part {
    fn create(out: &Path, number: usize, args: &PartArgs) -> Result<Self> {
        let file = format!("part-{number:05}.{}", args.extension());
        let draft = Draft::of(out.join(&file));
        let to = draft.create().with_context(|| draft.path().display().to_string())?;
        let rejected_file = out.join(format!("{REJECTED}{number:05}.jsonl"));
        // That of an interrupted run.
        if rejected_file.exists() {
            fs::remove_file(&rejected_file).with_context(|| rejected_file.display().to_string())?;
        }
        Ok(Self { file, rows: Rows::open(to, args)?, draft, rejected: None, rejected_file, counts: Counts::default() })
    }

    fn write(&mut self, rows: &[Row]) -> Result<()> {
        for Row { document, .. } in rows {
            self.counts.sentences += document.sentences.len() as u64;
            self.counts.entities += document.entities.len() as u64;
            self.counts.relations += document.relations.len() as u64;
            self.counts.in_windows += document.sentences.iter().filter(|one| one.windows > 1).count() as u64;
        }
        self.rows.write(rows).with_context(|| self.file.clone())
    }

    fn reject(&mut self, rejected: &[Rejected]) -> Result<()> {
        if rejected.is_empty() {
            return Ok(());
        }
        let name = || self.rejected_file.display().to_string();
        let (_, to) = match &mut self.rejected {
            Some(open) => open,
            None => {
                let draft = Draft::of(&self.rejected_file);
                let file = BufWriter::new(draft.create().with_context(name)?);
                self.rejected.insert((draft, file))
            }
        };
        write_lines(to, rejected).with_context(name)
    }

    /// Gives the files of the part their names, the rows last.
    fn publish(self) -> Result<(String, Counts)> {
        let Self { file, draft, rows, rejected, rejected_file, counts } = self;
        if let Some((draft, mut to)) = rejected {
            to.flush().and_then(|()| draft.publish()).with_context(|| rejected_file.display().to_string())?;
        }
        rows.finish().with_context(|| file.clone())?;
        draft.publish().with_context(|| file.clone())?;
        Ok((file, counts))
    }
}

impl Rows {
    fn open(file: File, args: &PartArgs) -> Result<Self> {
        #[cfg(feature = "parquet")]
        if args.to == super::part_args::PartFormat::Parquet {
            return Ok(Self::Parquet(super::table::TableWriter::new(file, args.with_text)?));
        }
        let to = BufWriter::with_capacity(1 << 16, file);
        Ok(match args.compress {
            #[cfg(feature = "zstd")]
            Compression::Zstd => Self::Zstd(zstd::Encoder::new(to, zstd::DEFAULT_COMPRESSION_LEVEL)?),
            Compression::Gzip => Self::Gzip(GzEncoder::new(to, Level::default())),
            _ => Self::Plain(to),
        })
    }

    fn write(&mut self, rows: &[Row]) -> Result<()> {
        match self {
            Self::Plain(to) => write_lines(to, rows),
            Self::Gzip(to) => write_lines(to, rows),
            #[cfg(feature = "zstd")]
            Self::Zstd(to) => write_lines(to, rows),
            #[cfg(feature = "parquet")]
            Self::Parquet(table) => table.write(rows),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Plain(mut to) => Ok(to.flush()?),
            Self::Gzip(to) => Ok(to.finish()?.flush()?),
            #[cfg(feature = "zstd")]
            Self::Zstd(to) => Ok(to.finish()?.flush()?),
            #[cfg(feature = "parquet")]
            Self::Parquet(table) => table.finish(),
        }
    }
}

fn write_lines(to: &mut impl Write, values: &[impl Serialize]) -> Result<()> {
    for value in values {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        to.write_all(&line)?;
    }
    Ok(())
}
