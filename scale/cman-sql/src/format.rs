//! The formats of results.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use arrow_json::LineDelimitedWriter;
use datafusion::{
    arrow::{datatypes::SchemaRef, record_batch::RecordBatch},
    parquet::{
        arrow::ArrowWriter,
        basic::{Compression, ZstdLevel},
        file::properties::WriterProperties,
    },
};

/// The format of a file of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Parquet.
    Parquet,
    /// One JSON object per line. Nulls are left out.
    JsonLines,
}

impl Format {
    /// The format that the extension of a file names.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "parquet" => Some(Self::Parquet),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::JsonLines => "jsonl",
        }
    }

    pub(crate) fn writer(self, file: File, schema: SchemaRef) -> io::Result<Writer> {
        match self {
            Self::Parquet => {
                let compression = Compression::ZSTD(ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(compression).build();
                let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(io::Error::other)?;
                Ok(Writer::Parquet(Box::new(writer)))
            }
            Self::JsonLines => Ok(Writer::JsonLines(LineDelimitedWriter::new(BufWriter::new(file)))),
        }
    }
}

/// A file that is being written.
pub(crate) enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    JsonLines(LineDelimitedWriter<BufWriter<File>>),
}

impl Writer {
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        match self {
            Self::Parquet(writer) => writer.write(batch).map_err(io::Error::other),
            Self::JsonLines(writer) => writer.write(batch).map_err(io::Error::other),
        }
    }

    /// Ends the file and waits until it is on disk.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Parquet(writer) => writer.into_inner().map_err(io::Error::other)?.sync_all(),
            Self::JsonLines(mut writer) => {
                writer.finish().map_err(io::Error::other)?;
                let mut buffer = writer.into_inner();
                buffer.flush()?;
                buffer.get_ref().sync_all()
            }
        }
    }
}
