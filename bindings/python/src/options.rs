//! Options as keyword arguments.

use cman_model::ExtractOptions;
use pyo3::{prelude::*, types::PyDict};
use serde_json::{Map, Value};

use crate::errors::CmanError;

/// The options with what the keyword arguments change.
pub(crate) fn changed(options: &ExtractOptions, arguments: Option<&Bound<'_, PyDict>>) -> PyResult<ExtractOptions> {
    let Some(arguments) = arguments else { return Ok(options.clone()) };
    let json = arguments.py().import("json")?.call_method1("dumps", (arguments,))?;
    let changes: Map<String, Value> = parse(json.extract()?)?;
    let mut all: Map<String, Value> = parse(&write(options)?)?;
    all.extend(changes);
    serde_json::from_value(Value::Object(all)).map_err(|error| CmanError::new_err(error.to_string()))
}

/// Options from their JSON.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| CmanError::new_err(error.to_string()))
}

/// Options as JSON.
pub(crate) fn write(options: &ExtractOptions) -> PyResult<String> {
    serde_json::to_string(options).map_err(|error| CmanError::new_err(error.to_string()))
}
