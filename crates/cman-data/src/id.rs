//! The id of a sentence.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected},
};
use serde_json::value::RawValue;

/// The id of a sentence: a number of any size, kept as it is written, or a name.
///
/// ```
/// use cman_data::Id;
///
/// let id: Id = serde_json::from_str("90071992547409931234").unwrap();
/// assert_eq!((id.as_str(), id.is_number()), ("90071992547409931234", true));
/// assert_eq!(serde_json::to_string(&Id::name("007")).unwrap(), r#""007""#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Id {
    text: String,
    is_number: bool,
}

impl Id {
    /// An id that is a name, even if it consists of digits.
    pub fn name(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_number: false }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether JSON writes the id as a number.
    pub fn is_number(&self) -> bool {
        self.is_number
    }
}

impl From<String> for Id {
    /// An integer in its usual form is a number, everything else a name.
    fn from(text: String) -> Self {
        let digits = text.strip_prefix('-').filter(|&digits| digits != "0").unwrap_or(&text);
        let is_number = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        Self { text, is_number }
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<usize> for Id {
    fn from(number: usize) -> Self {
        Self { text: number.to_string(), is_number: true }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl PartialEq<&str> for Id {
    fn eq(&self, text: &&str) -> bool {
        self.text == *text
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_number {
            let number = RawValue::from_string(self.text.clone()).map_err(serde::ser::Error::custom)?;
            return number.serialize(serializer);
        }
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <Box<RawValue>>::deserialize(deserializer)?;
        let raw = raw.get();
        let wrong = |found| Err(D::Error::invalid_type(found, &"a number or a string"));
        match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(raw).map(Self::name).map_err(D::Error::custom),
            Some(b'{') => wrong(Unexpected::Map),
            Some(b'[') => wrong(Unexpected::Seq),
            Some(b't' | b'f') => wrong(Unexpected::Bool(raw == "true")),
            Some(b'n') => wrong(Unexpected::Unit),
            _ => Ok(Self { text: raw.to_owned(), is_number: true }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_carried_as_they_came() {
        for json in ["7", "-3", "1.50", "123456789012345678901234567890", r#""7""#, r#""a \" b""#, r#""""#] {
            let id: Id = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&id).unwrap(), json);
        }
        for json in ["{}", "[1]", "true"] {
            assert!(serde_json::from_str::<Id>(json).unwrap_err().to_string().contains("a number or a string"));
        }
    }

    #[test]
    fn text_that_is_an_integer_is_a_number() {
        for (text, is_number) in [
            ("7", true),
            ("-7", true),
            ("0", true),
            ("-0", false),
            ("07", false),
            ("", false),
            ("-", false),
            ("a", false),
        ] {
            assert_eq!(Id::from(text).is_number(), is_number, "{text:?}");
        }
    }
}
