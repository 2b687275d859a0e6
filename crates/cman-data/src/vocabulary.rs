//! Vocabularies: ids for words or characters.

use std::{collections::HashMap, fs, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    error::{DataError, Location, Quoted},
    file,
};

/// The id of padding.
pub const PADDING: u32 = 0;
/// The id of unknown words and characters.
pub const UNKNOWN: u32 = 1;

const PADDING_NAME: &str = "<pad>";
const UNKNOWN_NAME: &str = "<unk>";

/// Maps words or characters to ids, in order of first appearance, from 2.
///
/// No text has the id [`PADDING`]: the word `<pad>` is unknown. The word `<unk>` has the id [`UNKNOWN`].
/// The JSON form is `{"names": ["<pad>", "<unk>", ..], "counts": [0, 0, ..]}`.
///
/// ```
/// use cman_data::{UNKNOWN, Vocabulary};
///
/// let words = Vocabulary::build("the cat saw the dog".split(' '));
/// assert_eq!((words.len(), words.id("the"), words.id("cow")), (6, Some(2), None));
/// assert_eq!((words.count(2), words.name(3)), (2, "cat"));
/// assert_eq!(words.id_or_unknown("cow"), UNKNOWN);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Vocabulary {
    names: Vec<String>,
    counts: Vec<u32>,
    ids: HashMap<String, u32>,
}

/// The JSON form.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    names: Vec<String>,
    counts: Vec<u32>,
}

impl Default for Vocabulary {
    /// A vocabulary with only padding and unknown.
    fn default() -> Self {
        Self {
            names: vec![PADDING_NAME.into(), UNKNOWN_NAME.into()],
            counts: vec![0, 0],
            ids: HashMap::from([(UNKNOWN_NAME.into(), UNKNOWN)]),
        }
    }
}

impl Vocabulary {
    /// Builds and counts the vocabulary of `words`, the word (or character) occurrences of the training data.
    pub fn build<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut vocabulary = Self::default();
        for word in words {
            vocabulary.observe(word);
        }
        vocabulary
    }

    /// Adds `word` if it is new, without counting it. Returns its id.
    pub fn insert(&mut self, word: &str) -> u32 {
        if word == PADDING_NAME {
            return UNKNOWN;
        }
        if let Some(id) = self.id(word) {
            return id;
        }
        let id = u32::try_from(self.names.len()).expect("fewer than 2^32 words");
        self.names.push(word.to_owned());
        self.counts.push(0);
        self.ids.insert(word.to_owned(), id);
        id
    }

    /// Adds `word` if it is new, and increments its count. Returns its id.
    pub fn observe(&mut self, word: &str) -> u32 {
        let id = self.insert(word);
        let count = &mut self.counts[id as usize];
        *count = count.saturating_add(1);
        id
    }

    /// The id of `word`, if it is in the vocabulary.
    pub fn id(&self, word: &str) -> Option<u32> {
        self.ids.get(word).copied()
    }

    /// The id of `word`, or [`UNKNOWN`].
    pub fn id_or_unknown(&self, word: &str) -> u32 {
        self.id(word).unwrap_or(UNKNOWN)
    }

    /// The word with this id.
    ///
    /// # Panics
    /// If there is no such id.
    pub fn name(&self, id: u32) -> &str {
        &self.names[id as usize]
    }

    /// The frequency of the word in the training data; 0 if it only occurs in the vector file.
    ///
    /// # Panics
    /// If there is no such id.
    pub fn count(&self, id: u32) -> u32 {
        self.counts[id as usize]
    }

    /// All names in order of their ids, with padding and unknown first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of ids, including padding and unknown.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether the vocabulary has only padding and unknown.
    pub fn is_empty(&self) -> bool {
        self.names.len() == 2
    }

    /// Writes the vocabulary as JSON.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        save_json(self, path.as_ref())
    }

    /// Reads a vocabulary that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// If the file cannot be read, is not JSON, contains a word twice, or lacks padding, unknown or a count.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, DataError> {
        load_json(path.as_ref())
    }
}

impl From<Vocabulary> for Stored {
    fn from(vocabulary: Vocabulary) -> Self {
        Self { names: vocabulary.names, counts: vocabulary.counts }
    }
}

impl TryFrom<Stored> for Vocabulary {
    type Error = String;

    fn try_from(Stored { names, counts }: Stored) -> Result<Self, String> {
        if !names.starts_with(&[PADDING_NAME.to_owned(), UNKNOWN_NAME.to_owned()]) {
            return Err(format!("names: expected {PADDING_NAME:?} and {UNKNOWN_NAME:?} first"));
        }
        if names.len() != counts.len() {
            return Err(format!("counts: expected {} (one per name), found {}", names.len(), counts.len()));
        }
        let mut ids = HashMap::with_capacity(names.len());
        for (id, name) in (0u32..).zip(&names).skip(1) {
            let first = if name == PADDING_NAME { Some(PADDING) } else { ids.insert(name.clone(), id) };
            if let Some(first) = first {
                return Err(format!("names[{id}]: {} is a duplicate of names[{first}]", Quoted(name)));
            }
        }
        Ok(Self { names, counts, ids })
    }
}

/// Writes a value as JSON.
pub(crate) fn save_json(value: &impl Serialize, path: &Path) -> Result<(), DataError> {
    let json = serde_json::to_vec(value).expect("strings and numbers serialise");
    file::replace(path, &json).map_err(|source| DataError::io(path, source))
}

/// Reads a value that [`save_json`] wrote.
pub(crate) fn load_json<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    let bytes = fs::read(path).map_err(|source| DataError::io(path, source))?;
    serde_json::from_slice(&bytes).map_err(|error| DataError::json(Location::file(path), None, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_first_appearance_and_words_are_counted() {
        let mut words = Vocabulary::build(["b", "a", "b"]);
        assert_eq!(words.insert("c"), 4);
        assert_eq!(words.insert("a"), 3);
        assert_eq!(words.names(), ["<pad>", "<unk>", "b", "a", "c"]);
        assert_eq!([0, 1, 2, 3, 4].map(|id| words.count(id)), [0, 0, 2, 1, 0]);
        assert!(Vocabulary::default().is_empty() && !words.is_empty());
    }

    #[test]
    fn no_text_has_the_id_of_padding() {
        let mut words = Vocabulary::build(["<pad>", "<unk>"]);
        assert_eq!((words.insert("<pad>"), words.id("<pad>"), words.id_or_unknown("<pad>")), (UNKNOWN, None, UNKNOWN));
        assert_eq!((words.id("<unk>"), words.len(), words.count(UNKNOWN)), (Some(UNKNOWN), 2, 2));
    }

    #[test]
    fn a_vocabulary_survives_a_round_trip_through_a_file() {
        let path = tempfile::tempdir().unwrap().keep().join("words.json");
        let words = Vocabulary::build(["Zürich", "\u{0}", "\"", ""]);
        words.save(&path).unwrap();
        assert_eq!(Vocabulary::load(&path).unwrap(), words);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn invalid_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.json");
        for (json, message) in [
            (r#"{"names":["<pad>"],"counts":[0]}"#, r#"names: expected "<pad>" and "<unk>" first"#),
            (r#"{"names":["<unk>","<pad>"],"counts":[0,0]}"#, r#"names: expected "<pad>" and "<unk>" first"#),
            (r#"{"names":["<pad>","<unk>","a"],"counts":[0,0]}"#, "counts: expected 3 (one per name), found 2"),
            (
                r#"{"names":["<pad>","<unk>","a","a"],"counts":[0,0,1,1]}"#,
                r#"names[3]: "a" is a duplicate of names[2]"#,
            ),
            (
                r#"{"names":["<pad>","<unk>","<pad>"],"counts":[0,0,1]}"#,
                r#"names[2]: "<pad>" is a duplicate of names[0]"#,
            ),
            (r#"{"names":["<pad>","<unk>"]}"#, "line 1, column 27: missing field `counts`"),
            (r#"{"names":[],"counts":[],"names":[]}"#, "line 1, column 31: duplicate field `names`"),
            (
                r#"{"names":["<pad>","<unk>"],"counts":[0,-1]}"#,
                "line 1, column 41: expected a whole number of at least 0, found integer `-1`",
            ),
            ("", "line 1, column 1: EOF while parsing a value"),
        ] {
            std::fs::write(&path, json).unwrap();
            let error = Vocabulary::load(&path).unwrap_err();
            assert_eq!(error.to_string(), format!("{}: {message}", path.display()), "{json}");
        }
        let missing = folder.path().join("missing.json");
        assert!(matches!(Vocabulary::load(&missing), Err(DataError::Io { .. })));
        assert!(matches!(Vocabulary::load(folder.path()), Err(DataError::Io { .. })));
    }
}
