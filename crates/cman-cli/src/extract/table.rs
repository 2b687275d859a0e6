//! Parts in Parquet.

use std::{fs::File, sync::Arc};

use anyhow::Result;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use cman_arrow::{data_type, encode};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use serde_json::value::RawValue;

use super::row::{Origin, Row};

/// Rows that are in memory until they are compressed.
const ROW_GROUP: usize = 1 << 14;
/// The columns of what is found.
const FOUND: [&str; 3] = ["sentences", "entities", "relations"];

/// Writes rows as the columns `id`, `file`, `record`, `line`, `text` if it is wanted, and those of [`FOUND`].
pub struct TableWriter {
    schema: Arc<Schema>,
    writer: ArrowWriter<File>,
    with_text: bool,
}

impl TableWriter {
    pub fn new(file: File, with_text: bool) -> Result<Self> {
        let DataType::Struct(found) = data_type() else { unreachable!("documents are structs") };
        let mut fields = vec![
            Field::new("id", DataType::Utf8, true),
            Field::new("file", DataType::Utf8, false),
            Field::new("record", DataType::Int64, true),
            Field::new("line", DataType::Int64, true),
        ];
        if with_text {
            fields.push(Field::new("text", DataType::Utf8, true));
        }
        let is_found = |field: &&Arc<Field>| FOUND.contains(&field.name().as_str());
        fields.extend(found.iter().filter(is_found).map(|field| field.as_ref().clone()));
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
        Ok(Self { schema, writer, with_text })
    }

    pub fn write(&mut self, rows: &[Row]) -> Result<()> {
        let origins = || rows.iter().map(|row| &row.origin);
        let number = |number: Option<usize>| number.and_then(|number| i64::try_from(number).ok());
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(origins().map(|origin| origin.id.as_deref().map(plain)).collect::<StringArray>()),
            Arc::new(StringArray::from_iter_values(origins().map(|Origin { file, .. }| file))),
            Arc::new(origins().map(|origin| number(origin.record)).collect::<Int64Array>()),
            Arc::new(origins().map(|origin| number(origin.line)).collect::<Int64Array>()),
        ];
        if self.with_text {
            columns.push(Arc::new(rows.iter().map(|row| row.text.as_deref()).collect::<StringArray>()));
        }
        let found = encode(rows.iter().map(|row| Some(Ok(&row.document))))?;
        columns.extend(FOUND.map(|name| Arc::clone(found.column_by_name(name).expect("a field of documents"))));
        Ok(self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?)
    }

    pub fn finish(self) -> Result<()> {
        self.writer.close()?;
        Ok(())
    }
}

/// An id: a string without its quotes, anything else as it is written.
fn plain(id: &RawValue) -> String {
    serde_json::from_str(id.get()).unwrap_or_else(|_| id.get().to_owned())
}
