//! Columns of Arrow tables.

use std::{error::Error, sync::Arc};

use arrow_array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use cman_arrow::extract_batch;
use pyo3::{IntoPyObjectExt, exceptions::PyTypeError, prelude::*};
use pyo3_arrow::{PyRecordBatch, PyRecordBatchReader, PyTable, input::AnyRecordBatch};

use crate::{errors::exception, threads::Threads};

/// Rows of a table that are read before Python may handle a signal, such as Ctrl-C.
const ROWS: usize = 4096;

/// What is read from which column, into which.
pub(crate) struct Columns {
    pub extractor: cman_model::Extractor,
    pub threads: Arc<Threads>,
    pub input: String,
    pub output: String,
}

/// Extracts from a batch, from a table, or from each batch of a stream while the result is read.
pub(crate) fn extract<'py>(py: Python<'py>, columns: Columns, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // What has a number of rows is in memory. It can be read again, and so can its result.
    let is_table = data.hasattr("num_rows")? || data.hasattr("height")?;
    match batches(data)? {
        AnyRecordBatch::RecordBatch(batch) => {
            let found = py.detach(|| columns.extract(batch.as_ref())).map_err(|error| exception(&*error))?;
            PyRecordBatch::new(found).into_bound_py_any(py)
        }
        AnyRecordBatch::Stream(stream) => {
            let batches = stream.into_reader()?;
            let schema = columns.schema(&batches.schema()).map_err(|error| exception(&*error))?;
            if is_table {
                let found = columns.table(py, batches)?;
                return PyTable::try_new(found, schema)?.into_bound_py_any(py);
            }
            PyRecordBatchReader::new(columns.stream(batches, schema)).into_bound_py_any(py)
        }
    }
}

fn batches(data: &Bound<'_, PyAny>) -> PyResult<AnyRecordBatch> {
    if data.hasattr("__arrow_c_array__")? || data.hasattr("__arrow_c_stream__")? {
        return data.extract();
    }
    let name = data.get_type().name()?;
    let expected = "expected a table, a record batch or a stream with the Arrow PyCapsule interface";
    Err(PyTypeError::new_err(format!("{expected}, found {name}")))
}

impl Columns {
    fn extract(&self, batch: &RecordBatch) -> Result<RecordBatch, Box<dyn Error + Send + Sync>> {
        Ok(self.threads.run(|| extract_batch(&self.extractor, batch, &self.input, &self.output))??)
    }

    /// The columns of the result. An empty batch tells them, and what is wrong with the columns of the input.
    fn schema(&self, input: &SchemaRef) -> Result<SchemaRef, Box<dyn Error + Send + Sync>> {
        Ok(self.extract(&RecordBatch::new_empty(Arc::clone(input)))?.schema())
    }

    /// The batches of a table.
    fn table(
        &self,
        py: Python<'_>,
        mut batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send,
    ) -> PyResult<Vec<RecordBatch>> {
        let mut found = Vec::new();
        while let Some(batch) = py.detach(|| batches.next()) {
            let batch = batch.map_err(|error| exception(&error))?;
            for start in (0..batch.num_rows()).step_by(ROWS) {
                let part = batch.slice(start, ROWS.min(batch.num_rows() - start));
                found.push(py.detach(|| self.extract(&part)).map_err(|error| exception(&*error))?);
                py.check_signals()?;
            }
        }
        Ok(found)
    }

    /// The batches of a stream, each read when it is asked for.
    fn stream(
        self,
        batches: Box<dyn RecordBatchReader + Send>,
        schema: SchemaRef,
    ) -> Box<dyn RecordBatchReader + Send> {
        let found = batches.map(move |batch| self.extract(&batch?).map_err(ArrowError::from_external_error));
        Box::new(RecordBatchIterator::new(found, schema))
    }
}
