//! Files that are there whole or not at all, so that a killed experiment leaves nothing that misleads it later.

use std::{fs, path::Path};

use cman_data::file;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::ExperimentError;

/// Replaces the content of a file, or makes one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), ExperimentError> {
    file::replace(path, content).map_err(|source| ExperimentError::io(path, source))
}

/// Writes a value as JSON: two levels indented, what lies deeper on one line, so that a run is a line.
pub(crate) fn replace_json(path: &Path, value: &impl Serialize) -> Result<(), ExperimentError> {
    let value = serde_json::to_value(value).expect("results have a JSON form");
    let mut text = String::new();
    lay_out(&value, 0, &mut text);
    text.push('\n');
    replace(path, text.as_bytes())
}

/// Reads JSON.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ExperimentError> {
    let text = fs::read(path).map_err(|source| ExperimentError::io(path, source))?;
    serde_json::from_slice(&text).map_err(|source| ExperimentError::Record {
        path: path.into(),
        line: source.line(),
        source,
    })
}

fn lay_out(value: &Value, depth: usize, text: &mut String) {
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
        lay_out(value, depth + 1, text);
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
    fn a_run_is_a_line_and_json_stays_the_same() {
        let value = json!({"a": [{"x": [1, 2]}, {"y": {}}], "b": [], "c\"": {"d": 0.1}});
        let mut text = String::new();
        lay_out(&value, 0, &mut text);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_eq!(text.lines().nth(2), Some("    {\"x\":[1,2]},"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        replace_json(&path, &value).unwrap();
        assert_eq!(read_json::<Value>(&path).unwrap(), value);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
    }
}
