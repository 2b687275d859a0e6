//! The shape of requests and answers. These types are only described; `tests/openapi.rs` compares them with answers.
#![allow(dead_code)]

use serde::Serialize;
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};

use crate::problem::Problem;

/// A request for extraction: one text, or several.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"text": "Ada Lovelace lived in London.", "options": {"relation_threshold": 0.6}}))]
#[serde(deny_unknown_fields, untagged)]
pub(crate) enum ExtractBody {
    /// One text.
    One(OneText),
    /// Several texts.
    Many(ManyTexts),
}

/// One text.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneText {
    text: String,
    /// The name of the model. Default: the first one of `/info`.
    model: Option<String>,
    options: Option<Options>,
    /// Entities that are known. Only the relations between them are extracted.
    entities: Option<Vec<Given>>,
}

/// Several texts.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManyTexts {
    #[schema(min_items = 1)]
    texts: Vec<String>,
    /// The name of the model. Default: the first one of `/info`.
    model: Option<String>,
    options: Option<Options>,
}

/// A line of a stream.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamLine {
    /// Anything. The answer has it too.
    #[schema(required = false)]
    id: Value,
    text: String,
    model: Option<String>,
    options: Option<Options>,
    entities: Option<Vec<Given>>,
}

/// What is extracted. Every key may be left out.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Entities with a lower confidence are left out, and so are their relations.
    #[schema(minimum = 0, maximum = 1, default = 0, required = false)]
    entity_threshold: f64,
    /// Relations need a higher confidence. Default: the threshold of the model.
    #[schema(minimum = 0, maximum = 1)]
    relation_threshold: Option<f64>,
    #[schema(required = false)]
    signatures: SignatureChoice,
    /// Whether relations are extracted.
    #[schema(default = true, required = false)]
    relations: bool,
    /// Number of best tag sequences that are returned with each sentence.
    #[schema(minimum = 0, maximum = 64, default = 0, required = false)]
    n_best: u32,
    /// The longest sentence that is read as a whole, in tokens. The service may allow less; see `/info`.
    #[schema(minimum = 1, maximum = 512, default = 512, required = false)]
    max_tokens: u32,
    #[schema(schema_with = max_characters, required = false)]
    max_characters: usize,
    #[schema(required = false)]
    long_sentences: LongSentencesChoice,
}

/// A number without an upper limit, which the types of Rust have.
fn max_characters() -> Object {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).default(Some(256.into()));
    number.description(Some("The longest token, in characters.")).build()
}

/// Which combinations of entity and relation types are allowed: all, those of the training data, or these.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignatureChoice {
    Any,
    Trained,
    Only(Vec<SignatureTypes>),
}

/// A relation type with the entity types of its arguments.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureTypes {
    head: String,
    r#type: String,
    tail: String,
}

/// What happens to a sentence above `max_tokens`: it is read in overlapping windows, or it is an error.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LongSentencesChoice {
    Windows,
    Refuse,
}

/// An entity that is known. It consists of whole tokens of one sentence.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// A type of the model.
    r#type: String,
    /// First character.
    #[schema(minimum = 0)]
    start: u32,
    /// One past the last character.
    #[schema(minimum = 0)]
    end: u32,
}

/// The answer to a request for extraction.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtractAnswer {
    /// The name of the model.
    model: String,
    /// A document for each text, in the order of the texts.
    documents: Vec<FoundDocument>,
}

/// An answer in a stream. It has `document` or `error`.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamAnswer {
    /// The line of the request, from 1.
    line: u32,
    #[schema(required = false)]
    id: Value,
    document: Option<FoundDocument>,
    error: Option<Problem>,
}

/// What was found in a text. Offsets count characters, bytes of UTF-8 and UTF-16 units.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FoundDocument {
    sentences: Vec<FoundSentence>,
    entities: Vec<FoundEntity>,
    relations: Vec<FoundRelation>,
}

/// A sentence of a text.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FoundSentence {
    chars: Place,
    bytes: Place,
    utf16: Place,
    /// Number of its tokens.
    tokens: u32,
    /// Number of windows in which it was read: 1 unless it is longer than `max_tokens`.
    windows: u32,
    /// Its best tag sequences, if they were asked for.
    #[schema(required = false)]
    n_best: Vec<TagSequence>,
}

/// A part of a text.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    start: u32,
    /// One past the last.
    end: u32,
}

/// A sequence of tags, as the entities that it spells.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagSequence {
    probability: f64,
    /// Entities by tokens of the sentence.
    entities: Vec<TokenEntity>,
}

/// An entity by tokens of its sentence.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenEntity {
    r#type: String,
    start: u32,
    end: u32,
}

/// An entity of a text.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FoundEntity {
    r#type: String,
    /// The entity as it is written in the text.
    text: String,
    chars: Place,
    bytes: Place,
    utf16: Place,
    /// The index of its sentence.
    sentence: u32,
    #[schema(minimum = 0, maximum = 1)]
    confidence: f64,
}

/// A relation between two entities.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FoundRelation {
    r#type: String,
    /// First argument: an index of `entities`.
    head: u32,
    /// Second argument: an index of `entities`.
    tail: u32,
    #[schema(minimum = 0, maximum = 1)]
    confidence: f64,
}
