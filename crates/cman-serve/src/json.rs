//! JSON of a request, with the place of what is wrong.

use std::{fmt, marker::PhantomData};

use axum::http::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::error::Category;

use crate::problem::Problem;

/// A value that is a JSON object. Others take a list for the fields in their order.
#[derive(Clone, Debug)]
pub(crate) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Object)
    }
}

/// Reads an object.
///
/// # Errors
/// Status 400 for what is not JSON, with line and column; 422 for JSON of another shape, with the field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "expected a JSON object, found nothing"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let Object(value) = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        problem(error.inner(), Some(path).filter(|path| path != "."))
    })?;
    reader.end().map_err(|error| problem(&error, None))?;
    Ok(value)
}

fn problem(error: &serde_json::Error, path: Option<String>) -> Problem {
    let (line, column) = (error.line(), error.column());
    let place = format!(" at line {line} column {column}");
    let message = error.to_string();
    let message = message.strip_suffix(&place).unwrap_or(&message);
    match (error.classify(), path) {
        (Category::Data, Some(path)) => Problem::invalid(path, message).at(line, column),
        (Category::Data, None) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message).at(line, column),
        _ => {
            let detail = format!("line {line}, column {column}: expected JSON: {message}");
            Problem::new(StatusCode::BAD_REQUEST, detail).at(line, column)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ExtractRequest;

    #[test]
    fn problems_have_a_status_and_a_place() {
        let fail = |bytes: &[u8]| parse::<ExtractRequest>(bytes).unwrap_err();
        for (bytes, status, detail) in [
            (&b""[..], 400, "expected a JSON object, found nothing"),
            (b"{\"text\": \"a\",}", 400, "line 1, column 14: expected JSON: trailing comma"),
            (b"{\"text\": \"a\"} x", 400, "line 1, column 15: expected JSON: trailing characters"),
            (b"{\"text\":\n \"\xff\"}", 400, "line 2, column 3: expected JSON: invalid unicode code point"),
            (b"{\"text\": 7}", 422, "text: invalid type: integer `7`, expected a string"),
            (b"{\"texts\": [\"a\", null]}", 422, "texts[1]: invalid type: null, expected a string"),
            (b"{\"options\": {\"n_best\": -1}}", 422, "options.n_best: invalid value: integer `-1`, expected usize"),
            (b"[1]", 422, "invalid type: sequence, expected a JSON object"),
            (b"{\"options\": []}", 422, "options: invalid type: sequence, expected a JSON object"),
        ] {
            let problem = fail(bytes);
            assert_eq!((problem.status().as_u16(), problem.detail()), (status, detail));
        }
        let unknown = fail(b"{\"txt\": 7}");
        assert!(unknown.detail().starts_with("txt: unknown field `txt`, expected one of `model`"), "{unknown:?}");
        let deep = [b"{\"options\": {\"signatures\": ".as_slice(), &b"[".repeat(5000)].concat();
        assert!(fail(&deep).status().is_client_error());
    }
}
