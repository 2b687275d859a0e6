//! Messages of serde in the words of a file format.

/// The message of a serde_json error, without the position at its end and without names of Rust types.
pub(crate) fn json_reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    plain_types(message.split(" at line ").next().unwrap_or(&message))
}

/// A message of serde with the words of a file format in place of the names of Rust types.
///
/// ```
/// let message = "invalid type: map, expected usize at line 3";
/// assert_eq!(
///     cman_data::plain_types(message),
///     "invalid type: an object, expected a whole number of at least 0 at line 3"
/// );
/// ```
pub fn plain_types(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let (first, rest) = expected.split_once(' ').unwrap_or((expected, ""));
    let (plain, rest) = match (first, rest) {
        ("usize" | "u8" | "u16" | "u32" | "u64", rest) => ("a whole number of at least 0", rest),
        ("isize" | "i8" | "i16" | "i32" | "i64", rest) => ("a whole number", rest),
        ("f32" | "f64", rest) => ("a number", rest),
        ("unit", rest) => ("null", rest),
        ("struct", rest) => ("an object", rest.split_once(' ').map_or("", |(_, rest)| rest)),
        ("a", rest) if rest.starts_with("map") => ("an object", rest["map".len()..].trim_start()),
        ("a", rest) if rest.starts_with("sequence") => ("an array", rest["sequence".len()..].trim_start()),
        ("a", rest) if rest.starts_with("tuple of size ") => ("an array of length", &rest["tuple of size ".len()..]),
        (first, rest) => (first, rest),
    };
    let rest = if rest.is_empty() { String::new() } else { format!(" {rest}") };
    let found = found.replace("invalid type: map", "invalid type: an object");
    let found = found.replace("invalid type: sequence", "invalid type: an array");
    format!("{found}, expected {plain}{rest}")
}
