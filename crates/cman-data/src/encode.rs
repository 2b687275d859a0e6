//! Sentences as ids: the inputs and targets of a model.

use std::{borrow::Cow, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    bio::{self, Span},
    error::{DataError, Location, Quoted},
    labels::Schema,
    sentence::Sentence,
    validate::validate,
    vocabulary::{Vocabulary, load_json, save_json},
};

/// Number of characters of a token that a model reads. Memory grows with the longest token of a batch, because all tokens
/// are padded to it.
pub const MAX_CHARACTERS: usize = 256;

/// The word and character vocabularies of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabularies {
    /// The words, in lower case if `lowercase`.
    pub words: Vocabulary,
    /// The characters, case-sensitive: one entry per Unicode scalar value.
    pub chars: Vocabulary,
    /// Whether words are lower-cased before lookup.
    pub lowercase: bool,
}

/// A sentence of `n` tokens as ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedSentence {
    /// The id of each word: `[n]`.
    pub words: Vec<u32>,
    /// The ids of each word's first [`MAX_CHARACTERS`] characters: `n` non-empty lists.
    pub chars: Vec<Vec<u32>>,
    /// The id of each token's [`Tag`](crate::Tag): `[n]`, or empty without annotation.
    pub tags: Vec<u32>,
    /// The relations, in the order of the sentence.
    pub relations: Vec<EncodedRelation>,
    /// The annotation that `tags` and `relations` cannot represent.
    pub unrepresentable: Unrepresentable,
}

/// A relation between two tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EncodedRelation {
    /// Last token of the head entity (first argument).
    pub head: usize,
    /// Last token of the tail entity (second argument).
    pub tail: usize,
    /// Id of the relation type in the schema.
    pub kind: usize,
}

/// Number of entities and relations that one BIO tag sequence cannot represent.
///
/// A scorer counts them as false negatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unrepresentable {
    /// Entities that share a token with a longer one.
    pub entities: usize,
    /// Relations with such an entity as an argument.
    pub relations: usize,
}

impl Vocabularies {
    /// Builds the vocabularies from the training sentences.
    pub fn build(sentences: &[Sentence], lowercase: bool) -> Self {
        let mut vocabularies = Self { lowercase, ..Self::default() };
        let mut buffer = [0; 4];
        for word in sentences.iter().flat_map(Sentence::words) {
            vocabularies.words.observe(&normalise(word, lowercase));
            for char in first_characters(word) {
                vocabularies.chars.observe(char.encode_utf8(&mut buffer));
            }
        }
        vocabularies
    }

    /// The id of a word, or [`UNKNOWN`](crate::UNKNOWN).
    pub fn word_id(&self, word: &str) -> u32 {
        self.words.id_or_unknown(&normalise(word, self.lowercase))
    }

    /// The id of a character, or [`UNKNOWN`](crate::UNKNOWN).
    pub fn char_id(&self, char: char) -> u32 {
        self.chars.id_or_unknown(char.encode_utf8(&mut [0; 4]))
    }

    /// Encodes a sentence with its annotation.
    ///
    /// Entities that one tag sequence cannot represent are left out and counted, as are their relations. Of two
    /// entities that share a token, [`encode`](crate::encode) keeps the longer one.
    ///
    /// # Errors
    /// [`DataError::Invalid`] if the sentence or a token is empty, if an annotation is a duplicate or does not fit the
    /// tokens, or if a type is not in the schema.
    pub fn encode(&self, sentence: &Sentence, schema: &Schema) -> Result<EncodedSentence, DataError> {
        validate(sentence, Some(schema)).map_err(|fault| fault.at(Location::default()))?;
        let mut encoded = self.encode_tokens(sentence)?;
        let spans: Vec<Span> = sentence
            .entities
            .iter()
            .map(|entity| Span {
                start: entity.start,
                end: entity.end,
                kind: schema.entities.id(&entity.kind).expect("a validated type"),
            })
            .collect();
        let (tags, written) = bio::encode(&spans, sentence.len());
        encoded.tags = tags.into_iter().map(|tag| u32::try_from(tag.id()).expect("fewer than 2^31 types")).collect();
        encoded.unrepresentable.entities = written.iter().filter(|&&written| !written).count();
        for relation in &sentence.relations {
            if written[relation.head] && written[relation.tail] {
                encoded.relations.push(EncodedRelation {
                    head: spans[relation.head].end - 1,
                    tail: spans[relation.tail].end - 1,
                    kind: schema.relations.id(&relation.kind).expect("a validated type"),
                });
            } else {
                encoded.unrepresentable.relations += 1;
            }
        }
        Ok(encoded)
    }

    /// Encodes a sentence without its annotation, for prediction: no tags, no relations.
    ///
    /// # Errors
    /// [`DataError::Invalid`] if the sentence or a token is empty.
    pub fn encode_tokens(&self, sentence: &Sentence) -> Result<EncodedSentence, DataError> {
        crate::validate::validate_tokens(sentence).map_err(|fault| fault.at(Location::default()))?;
        Ok(EncodedSentence {
            words: sentence.words().map(|word| self.word_id(word)).collect(),
            chars: sentence
                .words()
                .map(|word| first_characters(word).map(|char| self.char_id(char)).collect())
                .collect(),
            ..EncodedSentence::default()
        })
    }

    /// Writes the vocabularies as JSON.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        save_json(self, path.as_ref())
    }

    /// Reads vocabularies that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// The errors of [`Vocabulary::load`]; also if a name in `chars` is not a single character.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let vocabularies: Self = load_json(path)?;
        for (id, name) in vocabularies.chars.names().iter().enumerate().skip(2) {
            if name.chars().count() != 1 {
                let field = format!("chars.names[{id}]");
                let found = Quoted(name).to_string();
                return Err(DataError::invalid(Location::file(path), field, "one character", found));
            }
        }
        Ok(vocabularies)
    }
}

/// The characters of a word that a model reads.
fn first_characters(word: &str) -> impl Iterator<Item = char> {
    word.chars().take(MAX_CHARACTERS)
}

fn normalise(word: &str, lowercase: bool) -> Cow<'_, str> {
    if lowercase { Cow::Owned(word.to_lowercase()) } else { Cow::Borrowed(word) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        labels::LabelSet,
        sentence::{Entity, Relation},
        vocabulary::UNKNOWN,
    };

    fn sentence() -> Sentence {
        let mut sentence = Sentence::from_tokens("1", ["Ann", "of", "Bonn", "ann"]);
        sentence.entities = vec![Entity::new("Peop", 0..3), Entity::new("Loc", 2..3), Entity::new("Peop", 3..4)];
        sentence.relations = vec![Relation::new("Kill", 2, 0), Relation::new("Live_In", 0, 1)];
        sentence
    }

    fn schema() -> Schema {
        Schema { entities: LabelSet::from_iter(["Loc", "Peop"]), relations: LabelSet::from_iter(["Live_In", "Kill"]) }
    }

    #[test]
    fn words_are_lower_cased_and_characters_are_not() {
        let vocabularies = Vocabularies::build(&[sentence()], true);
        assert_eq!(vocabularies.words.names(), ["<pad>", "<unk>", "ann", "of", "bonn"]);
        assert_eq!(vocabularies.chars.names(), ["<pad>", "<unk>", "A", "n", "o", "f", "B", "a"]);
        assert_eq!(vocabularies.words.count(2), 2);
        let encoded = vocabularies.encode_tokens(&Sentence::from_tokens("2", ["ANN", "é"])).unwrap();
        assert_eq!(encoded.words, [2, UNKNOWN]);
        assert_eq!(encoded.chars, [vec![2, UNKNOWN, UNKNOWN], vec![UNKNOWN]]);
        assert!(encoded.tags.is_empty() && encoded.relations.is_empty());
        let cased = Vocabularies::build(&[sentence()], false);
        assert_eq!(cased.words.names(), ["<pad>", "<unk>", "Ann", "of", "Bonn", "ann"]);
        assert_eq!((cased.word_id("ANN"), cased.char_id('A')), (UNKNOWN, 2));
    }

    #[test]
    fn only_the_first_characters_of_a_token_are_read() {
        let longest = "a".repeat(MAX_CHARACTERS);
        let sentence = Sentence::from_tokens("1", [longest.clone(), longest + "b"]);
        let vocabularies = Vocabularies::build(std::slice::from_ref(&sentence), true);
        assert_eq!(vocabularies.chars.names(), ["<pad>", "<unk>", "a"]);
        let encoded = vocabularies.encode_tokens(&sentence).unwrap();
        assert_eq!(encoded.chars, [vec![2; MAX_CHARACTERS], vec![2; MAX_CHARACTERS]]);
        assert_ne!(encoded.words[0], encoded.words[1], "words are looked up as a whole");
    }

    #[test]
    fn relations_connect_last_tokens_and_unrepresentable_annotation_is_counted() {
        let encoded = Vocabularies::build(&[sentence()], true).encode(&sentence(), &schema()).unwrap();
        assert_eq!(encoded.tags, [3, 4, 4, 3]);
        assert_eq!(encoded.relations, [EncodedRelation { head: 3, tail: 2, kind: 1 }]);
        assert_eq!(encoded.unrepresentable, Unrepresentable { entities: 1, relations: 1 });
    }

    #[test]
    fn invalid_sentences_are_errors() {
        let vocabularies = Vocabularies::default();
        let message = |sentence: &Sentence| vocabularies.encode(sentence, &schema()).unwrap_err().to_string();
        let mut invalid = sentence();
        invalid.entities[1].kind = "Org".into();
        assert_eq!(message(&invalid), r#"entities[1].type: expected one of the types Loc, Peop, found "Org""#);
        let mut invalid = sentence();
        invalid.entities[1].end = 9;
        assert_eq!(message(&invalid), "entities[1].end: expected at most 4 (the number of tokens), found 9");
        let empty = Sentence::default();
        assert_eq!(message(&empty), "tokens: expected at least one token, found none");
        assert!(vocabularies.encode_tokens(&empty).is_err());
        let empty = Sentence::from_tokens("1", ["a", ""]);
        assert_eq!(
            vocabularies.encode_tokens(&empty).unwrap_err().to_string(),
            "tokens[1]: expected a non-empty token, found \"\""
        );
    }

    #[test]
    fn vocabularies_survive_a_round_trip_through_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocabularies.json");
        let vocabularies = Vocabularies::build(&[sentence()], true);
        vocabularies.save(&path).unwrap();
        assert_eq!(Vocabularies::load(&path).unwrap(), vocabularies);
        let json = std::fs::read_to_string(&path).unwrap().replace(r#""A""#, r#""AA""#);
        std::fs::write(&path, json).unwrap();
        assert_eq!(
            Vocabularies::load(&path).unwrap_err().to_string(),
            format!("{}: chars.names[2]: expected one character, found \"AA\"", path.display())
        );
    }
}
