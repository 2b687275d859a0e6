//! Atomic writes: a killed experiment leaves no partial file.

use std::{fs, path::Path};

use cman_data::file;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::error::ExperimentError;

/// Writes a file. An existing file is replaced at once.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), ExperimentError> {
    file::replace(path, content).map_err(|source| ExperimentError::io(path, source))
}

/// Writes a value as JSON. The two outer levels are indented and deeper levels are on one line, so that a list of runs
/// has one line per run.
pub(crate) fn replace_json(path: &Path, value: &impl Serialize) -> Result<(), ExperimentError> {
    let value = serde_json::to_value(value).expect("results have a JSON form");
    let mut text = String::new();
    write_value(&value, 0, &mut text);
    text.push('\n');
    replace(path, text.as_bytes())
}

/// Reads JSON.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ExperimentError> {
    let text = fs::read(path).map_err(|source| ExperimentError::io(path, source))?;
    serde_json::from_slice(&text).map_err(|source| ExperimentError::record(path, source.line(), source))
}

fn write_value(value: &Value, depth: usize, text: &mut String) {
    let (open, close, parts): (_, _, Vec<(String, &Value)>) = match value {
        Value::Object(map) if depth < 2 && !map.is_empty() => {
            ('{', '}', map.iter().map(|(key, value)| (format!("{}: ", Value::from(key.as_str())), value)).collect())
        }
        Value::Array(list) if depth < 2 && !list.is_empty() => {
            ('[', ']', list.iter().map(|value| (String::new(), value)).collect())
        }
        _ => return text.push_str(&value.to_string()),
    };
    text.push(open);
    for (i, (key, value)) in parts.iter().enumerate() {
        text.push_str(if i == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        text.push_str(key);
        write_value(value, depth + 1, text);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_is_one_line_and_the_value_is_unchanged() {
        let value = json!({"a": [{"x": [1, 2]}, {"y": {}}], "b": [], "c\"": {"d": 0.1}});
        let mut text = String::new();
        write_value(&value, 0, &mut text);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_eq!(text.lines().nth(2), Some("    {\"x\":[1,2]},"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        replace_json(&path, &value).unwrap();
        assert_eq!(read_json::<Value>(&path).unwrap(), value);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file remains");
    }
}
