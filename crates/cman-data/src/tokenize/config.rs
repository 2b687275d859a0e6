//! The choice of a tokenizer.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::error::DataError;

/// How raw text is cut into tokens.
///
/// In a configuration it is a name, `auto`, `conll04`, `ade` or `characters`, or a table of [`WordRules`].
///
/// ```
/// use cman_data::TokenizerConfig;
///
/// let words = |config: TokenizerConfig, text: &str| -> Vec<String> {
///     config.tokenize(text).into_iter().map(|token| token.text).collect()
/// };
/// let text = "Mrs. Ray's self-propelled 1,000-ton ship left.";
/// assert_eq!(
///     words(TokenizerConfig::conll04(), text),
///     ["Mrs.", "Ray", "'s", "self-propelled", "1", ",", "000-ton", "ship", "left", "."]
/// );
/// assert_eq!(
///     words(TokenizerConfig::ade(), text),
///     ["Mrs.", "Ray", "'s", "self", "-", "propelled", "1,000-ton", "ship", "left", "."]
/// );
/// assert_eq!(
///     words(TokenizerConfig::Characters, "王芳2020年加入Acme Inc.，很好。"),
///     ["王", "芳", "2020", "年", "加", "入", "Acme", "Inc.", "，", "很", "好", "。"]
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenizerConfig {
    /// The tokenizer that [agrees best](super::TokenizerAgreement::best) with the training data. A trained model has
    /// one of the others. Until the choice is made, text is cut as in CoNLL04.
    #[default]
    Auto,
    /// Words, which spaces and punctuation separate.
    Words(WordRules),
    /// Each character of a script without spaces between words (Han, Kana, Thai, ..) is a token, with its combining
    /// marks. All other text is cut as in CoNLL04.
    Characters,
}

/// Rules for words. The default is the style of CoNLL04.
///
/// The rules are for English. An abbreviation keeps its period (`Mrs.`, `U.S.`, `Inc.`), but the period that ends a
/// sentence is a separate token, even after an abbreviation (`U.S` and `.`). Quotes, brackets, commas and similar
/// characters are tokens; `''` is two tokens, `--` is one. A word is split before an apostrophe and what follows it,
/// such as `'s` or `'t`. Hyphenated words are not split unless `split_hyphens` is set. Amounts such as `$100` and
/// numbers such as `1.5` are never split. Full-width punctuation marks such as `。` are tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordRules {
    /// Whether a hyphen or slash between letters is a token, as in ADE: `drug`, `-`, `induced`.
    pub split_hyphens: bool,
    /// Whether a comma or colon between digits is a token, as in CoNLL04: `1`, `,`, `000`.
    pub split_numbers: bool,
}

impl WordRules {
    const CONLL04: Self = Self { split_hyphens: false, split_numbers: true };
    const ADE: Self = Self { split_hyphens: true, split_numbers: false };
}

impl Default for WordRules {
    fn default() -> Self {
        Self::CONLL04
    }
}

impl TokenizerConfig {
    /// The names in configurations.
    const NAMES: &[&str] = &["auto", "conll04", "ade", "characters"];

    /// The style of CoNLL04.
    pub const fn conll04() -> Self {
        Self::Words(WordRules::CONLL04)
    }

    /// The style of ADE.
    pub const fn ade() -> Self {
        Self::Words(WordRules::ADE)
    }

    /// The rules for words.
    pub(super) fn rules(self) -> WordRules {
        match self {
            Self::Words(rules) => rules,
            Self::Auto | Self::Characters => WordRules::CONLL04,
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "conll04" => Self::conll04(),
            "ade" => Self::ade(),
            "characters" => Self::Characters,
            _ => return None,
        })
    }
}

/// The name, or the rules if they have none.
impl fmt::Display for TokenizerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Characters => f.write_str("characters"),
            Self::Words(WordRules::CONLL04) => f.write_str("conll04"),
            Self::Words(WordRules::ADE) => f.write_str("ade"),
            Self::Words(WordRules { split_hyphens, split_numbers }) => {
                write!(f, "split_hyphens = {split_hyphens}, split_numbers = {split_numbers}")
            }
        }
    }
}

/// Parses a name.
impl FromStr for TokenizerConfig {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        let expected = || format!("one of {}", Self::NAMES.join(", "));
        let unknown = || DataError::UnknownName { what: "tokenizer", expected: expected(), found: name.to_owned() };
        Self::of_name(name).ok_or_else(unknown)
    }
}

/// Rules for words are written as a table, the form of all earlier configurations: the ids of runs are hashes of it.
impl Serialize for TokenizerConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto | Self::Characters => serializer.collect_str(self),
            Self::Words(rules) => rules.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for TokenizerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;

        impl<'de> Visitor<'de> for NameOrTable {
            type Value = TokenizerConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a tokenizer, or a table with split_hyphens and split_numbers")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<TokenizerConfig, E> {
                TokenizerConfig::of_name(name).ok_or_else(|| E::unknown_variant(name, TokenizerConfig::NAMES))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TokenizerConfig, A::Error> {
                WordRules::deserialize(MapAccessDeserializer::new(map)).map(TokenizerConfig::Words)
            }
        }

        deserializer.deserialize_any(NameOrTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tables_are_read() {
        let read = |json: &str| serde_json::from_str::<TokenizerConfig>(json).map_err(|error| error.to_string());
        for name in TokenizerConfig::NAMES {
            assert_eq!(read(&format!("\"{name}\"")).unwrap().to_string(), *name);
            assert_eq!(name.parse::<TokenizerConfig>().unwrap().to_string(), *name);
        }
        let error = "words".parse::<TokenizerConfig>().unwrap_err().to_string();
        assert_eq!(error, "tokenizer: expected one of auto, conll04, ade, characters, found \"words\"");
        let partial = TokenizerConfig::Words(WordRules { split_hyphens: true, split_numbers: true });
        assert_eq!(read(r#"{"split_hyphens": true}"#), Ok(partial));
        assert_eq!(partial.to_string(), "split_hyphens = true, split_numbers = true");
        for (json, message) in [
            (r#"{"split_hyphen": true}"#, "unknown field `split_hyphen`, expected `split_hyphens` or `split_numbers`"),
            (r#""words""#, "unknown variant `words`, expected one of `auto`, `conll04`, `ade`, `characters`"),
            ("1", "invalid type: integer `1`, expected the name of a tokenizer, or a table with"),
        ] {
            assert!(read(json).unwrap_err().starts_with(message), "{:?}", read(json));
        }
    }

    #[test]
    fn every_tokenizer_survives_a_round_trip() {
        let write = |config: TokenizerConfig| serde_json::to_string(&config).unwrap();
        assert_eq!(write(TokenizerConfig::conll04()), r#"{"split_hyphens":false,"split_numbers":true}"#);
        for config in [
            TokenizerConfig::Auto,
            TokenizerConfig::Characters,
            TokenizerConfig::conll04(),
            TokenizerConfig::ade(),
            TokenizerConfig::Words(WordRules { split_hyphens: true, split_numbers: true }),
        ] {
            assert_eq!(serde_json::from_str::<TokenizerConfig>(&write(config)).unwrap(), config);
        }
    }
}
