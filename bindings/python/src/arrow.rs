//! Columns of Arrow tables.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use cman_arrow::extract_batch;
use pyo3::{IntoPyObjectExt, prelude::*};
use pyo3_arrow::{PyRecordBatch, PyRecordBatchReader, input::AnyRecordBatch};

use crate::errors::CmanError;

/// Extracts from a batch, or from each batch of a stream while the result is read.
pub(crate) fn extract<'py>(
    py: Python<'py>,
    extractor: &cman_model::Extractor,
    data: AnyRecordBatch,
    column: &str,
    output: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let run = |batch: &RecordBatch| extract_batch(extractor, batch, column, output);
    match data {
        AnyRecordBatch::RecordBatch(batch) => {
            let found = py.detach(|| run(batch.as_ref())).map_err(|error| CmanError::new_err(error.to_string()))?;
            PyRecordBatch::new(found).into_bound_py_any(py)
        }
        AnyRecordBatch::Stream(stream) => {
            let reader = stream.into_reader()?;
            // An empty batch tells the type of the result, and what is wrong with the columns.
            let empty = RecordBatch::new_empty(reader.schema());
            let schema = run(&empty).map_err(|error| CmanError::new_err(error.to_string()))?.schema();
            let found = found(extractor.clone(), reader, column.to_owned(), output.to_owned(), schema);
            PyRecordBatchReader::new(found).into_bound_py_any(py)
        }
    }
}

fn found(
    extractor: cman_model::Extractor,
    batches: Box<dyn RecordBatchReader + Send>,
    column: String,
    output: String,
    schema: SchemaRef,
) -> Box<dyn RecordBatchReader + Send> {
    let found = batches.map(move |batch| {
        extract_batch(&extractor, &batch?, &column, &output).map_err(|error| ArrowError::ExternalError(Box::new(error)))
    });
    Box::new(RecordBatchIterator::new(found, Arc::clone(&schema)))
}
