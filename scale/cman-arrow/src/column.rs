//! Columns of texts and of tokens.

use arrow_array::{Array, ArrayRef, LargeListArray, LargeStringArray, cast::AsArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field};
use cman_data::Sentence;
use cman_model::{Extractor, TokenizedText};

use crate::error::ColumnError;

/// A column to extract from.
pub(crate) enum Column {
    Text(LargeStringArray),
    Tokens(LargeListArray),
}

impl Column {
    /// The column of this array, whichever of Arrow's layouts it has.
    pub(crate) fn of(array: &dyn Array) -> Result<Self, ColumnError> {
        let found = array.data_type();
        if is_text(found) {
            return Ok(Self::Text(cast(array, &DataType::LargeUtf8)?.as_string().clone()));
        }
        if item(found).is_some_and(is_text) {
            let item = Field::new("item", DataType::LargeUtf8, true);
            let tokens: ArrayRef = cast(array, &DataType::LargeList(item.into()))?;
            return Ok(Self::Tokens(tokens.as_list().clone()));
        }
        Err(ColumnError::Type(found.clone()))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(array) => array.len(),
            Self::Tokens(array) => array.len(),
        }
    }

    /// The text of a row, cut into tokens, or why it cannot be read; `None` for a null.
    pub(crate) fn tokenize(&self, row: usize, extractor: &Extractor) -> Option<Result<TokenizedText, String>> {
        match self {
            Self::Text(array) if array.is_valid(row) => {
                Some(extractor.tokenize(array.value(row)).map_err(|error| error.to_string()))
            }
            Self::Tokens(array) if array.is_valid(row) => Some(tokens(&array.value(row)).and_then(|tokens| {
                extractor.tokenize_sentence(Sentence::from_tokens("", tokens)).map_err(|error| error.to_string())
            })),
            _ => None,
        }
    }
}

/// Whether a column of this type can be read: one of texts or of lists of tokens, in any of Arrow's layouts.
pub fn is_readable(kind: &DataType) -> bool {
    is_text(kind) || item(kind).is_some_and(is_text)
}

fn tokens(list: &ArrayRef) -> Result<Vec<String>, String> {
    let tokens = list.as_string::<i64>().iter().enumerate();
    tokens.map(|(i, token)| token.map(str::to_owned).ok_or_else(|| format!("token {i} is null"))).collect()
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The type of the items of a list.
fn item(kind: &DataType) -> Option<&DataType> {
    match kind {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        _ => None,
    }
}
