//! Builds a document of tokens from spans of token indices.

use std::{collections::HashMap, ops::Range};

use super::document::{Document, DocumentRelation, DocumentSpan};
use crate::error::{DataError, Location};

/// A relation by the tokens of its arguments: the start and the end of each, and its type.
pub(super) type TokenRelation<K> = (usize, usize, usize, usize, K);

/// A document of tokens, and its spans by their tokens.
pub(super) struct TokenSpans<'a> {
    pub(super) document: Document,
    tokens: Vec<Range<usize>>,
    /// The first span with these tokens: the first and the last.
    first: HashMap<(usize, usize), usize>,
    at: &'a Location,
}

impl<'a> TokenSpans<'a> {
    /// A document of tokens at location `at`.
    pub(super) fn new(document: Document, at: &'a Location) -> Self {
        Self { tokens: document.given_tokens(), document, first: HashMap::new(), at }
    }

    /// Adds an entity of the tokens from `start` to `last`, which is inclusive.
    pub(super) fn add(&mut self, kind: String, start: usize, last: usize, name: String) -> Result<(), DataError> {
        if start > last || last >= self.tokens.len() {
            let n_tokens = self.tokens.len();
            let expected = format!("a first token of at most the last, less than {n_tokens} (the number of tokens)");
            return Err(DataError::invalid(self.at.clone(), name, expected, format!("{start}..{last}")));
        }
        let chars = self.tokens[start].start..self.tokens[last].end;
        if chars.is_empty() {
            return Err(DataError::invalid(self.at.clone(), name, "tokens that are not empty", "\"\""));
        }
        self.first.entry((start, last)).or_insert(self.document.spans.len());
        self.document.spans.push(DocumentSpan { kind, chars, name });
        Ok(())
    }

    /// Adds a relation of entities that are given by their first and last tokens.
    pub(super) fn relate(
        &mut self,
        kind: String,
        head: (usize, usize),
        tail: (usize, usize),
        name: String,
    ) -> Result<(), DataError> {
        let argument = |tokens: (usize, usize)| {
            self.first.get(&tokens).copied().ok_or_else(|| {
                let found = format!("{}..{}", tokens.0, tokens.1);
                DataError::invalid(self.at.clone(), &name, "the tokens of an entity", found)
            })
        };
        let (head, tail) = (argument(head)?, argument(tail)?);
        self.document.relations.push(DocumentRelation { kind, head, tail, name });
        Ok(())
    }
}
