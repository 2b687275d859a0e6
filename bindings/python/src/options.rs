//! Options as keyword arguments.

use cman_model::ExtractOptions;
use pyo3::{prelude::*, types::PyDict};
use serde_json::{Map, Value};

use crate::errors::CmanError;

/// The options with what the keyword arguments change.
pub(crate) fn changed(options: &ExtractOptions, arguments: Option<&Bound<'_, PyDict>>) -> PyResult<ExtractOptions> {
    let Some(arguments) = arguments else { return Ok(options.clone()) };
    let json = arguments.py().import("json")?.call_method1("dumps", (arguments,))?;
    // Python writes numbers that JSON does not have.
    let changes: Map<String, Value> = serde_json::from_str(json.extract()?).map_err(|_| {
        CmanError::new_err(format!(
            "options: expected finite numbers, strings, lists and dictionaries, found {arguments}"
        ))
    })?;
    let mut all: Map<String, Value> = parse(&write(options)?)?;
    all.extend(changes);
    from_value(Value::Object(all))
}

/// Options from their JSON.
pub(crate) fn read(json: &str) -> PyResult<ExtractOptions> {
    from_value(parse(json)?)
}

/// Options as JSON.
pub(crate) fn write(options: &ExtractOptions) -> PyResult<String> {
    serde_json::to_string(options).map_err(|error| CmanError::new_err(error.to_string()))
}

fn from_value(value: Value) -> PyResult<ExtractOptions> {
    serde_path_to_error::deserialize(value).map_err(|error| CmanError::new_err(error.to_string()))
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| CmanError::new_err(error.to_string()))
}
