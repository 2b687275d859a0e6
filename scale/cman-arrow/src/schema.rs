//! The type of a column of documents.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};

/// The type of a column of extracted documents: a [`Document`](cman_model::Document) with the names of its JSON.
///
/// ```text
/// struct<
///   sentences: list<struct<chars, bytes, utf16, tokens: int64, windows: int64>>,
///   entities:  list<struct<type: utf8, text: utf8, chars, bytes, utf16, sentence: int64, confidence: float64>>,
///   relations: list<struct<type: utf8, head: int64, tail: int64, confidence: float64>>,
///   error:     utf8
/// >
/// ```
///
/// `chars`, `bytes` and `utf16` are `struct<start: int64, end: int64>`: the place in the text in Unicode scalar values, in
/// bytes of UTF-8 and in UTF-16 units. `head` and `tail` are indices into `entities`, `sentence` is one into `sentences`.
/// `error` says why a row could not be read; the lists are then empty. Only `error` is nullable. The best tag sequences
/// ([`ExtractOptions::n_best`](cman_model::ExtractOptions::n_best)) are not part of the type.
pub fn data_type() -> DataType {
    DataType::Struct(fields())
}

pub(crate) fn fields() -> Fields {
    let sentence = span().chain([integer("tokens"), integer("windows")]);
    let entity = [text("type"), text("text")].into_iter().chain(span()).chain([integer("sentence"), confidence()]);
    let relation = [text("type"), integer("head"), integer("tail"), confidence()];
    Fields::from(vec![
        list("sentences", sentence),
        list("entities", entity),
        list("relations", relation),
        Field::new("error", DataType::Utf8, true),
    ])
}

fn list(name: &str, of: impl IntoIterator<Item = Field>) -> Field {
    let item = Field::new("item", DataType::Struct(of.into_iter().collect()), false);
    Field::new(name, DataType::List(Arc::new(item)), false)
}

fn span() -> impl Iterator<Item = Field> {
    ["chars", "bytes", "utf16"].into_iter().map(|unit| {
        let range = Fields::from(vec![integer("start"), integer("end")]);
        Field::new(unit, DataType::Struct(range), false)
    })
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}

fn integer(name: &str) -> Field {
    Field::new(name, DataType::Int64, false)
}

fn confidence() -> Field {
    Field::new("confidence", DataType::Float64, false)
}
