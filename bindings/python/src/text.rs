//! Texts and tokens from Python.

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyByteArray, PyBytes, PyString},
};

use crate::errors::CmanError;

/// The text of a string. `place` names it in messages, such as `text 3: `.
pub(crate) fn text(value: &Bound<'_, PyAny>, place: &str) -> PyResult<String> {
    let Ok(string) = value.cast::<PyString>() else {
        return Err(PyTypeError::new_err(format!("{place}expected a string, found {}", described(value))));
    };
    // A lone surrogate has no UTF-8.
    string.extract().map_err(|error: PyErr| CmanError::new_err(format!("{place}{}", error.value(value.py()))))
}

/// The texts of an iterable.
pub(crate) fn texts(values: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let values = items(values, "a string or an iterable of strings", "")?.enumerate();
    values.map(|(number, value)| text(&value?, &format!("text {number}: "))).collect()
}

/// The tokens of each sentence of an iterable.
pub(crate) fn sentences(values: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<String>>> {
    let values = items(values, "an iterable of lists of tokens", "")?.enumerate();
    let tokens = |(number, sentence): (usize, PyResult<Bound<'_, PyAny>>)| {
        let place = format!("text {number}: ");
        let tokens = items(&sentence?, "a list of tokens", &place)?;
        tokens.map(|token| text(&token?, &place)).collect()
    };
    values.map(tokens).collect()
}

/// The items of an iterable that is neither a string nor bytes.
fn items<'py>(
    values: &Bound<'py, PyAny>,
    expected: &str,
    place: &str,
) -> PyResult<impl Iterator<Item = PyResult<Bound<'py, PyAny>>> + use<'py>> {
    let refuse = || PyTypeError::new_err(format!("{place}expected {expected}, found {}", described(values)));
    if values.is_instance_of::<PyString>() || is_bytes(values) {
        return Err(refuse());
    }
    values.try_iter().map_err(|_| refuse())
}

fn is_bytes(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>()
}

/// The name of a value's type, with what to do about it.
fn described(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name().map_or_else(|_| "another type".into(), |name| name.to_string());
    let advice = if is_bytes(value) { "; decode it first: text.decode(\"utf-8\")" } else { "" };
    name + advice
}
