//! Converts an annotated document to sentences of tokens.

use std::ops::Range;

use super::{
    document::{Document, DocumentRelation, DocumentSpan, DocumentTokens},
    losses::{LossKind, Losses},
    options::{AnnotationOptions, CutPolicy},
};
use crate::{
    corpus::merge,
    error::{DataError, Location, Quoted},
    id::Id,
    sentence::{Entity, Relation, Sentence, Token},
    tokenize::split_sentences,
    validate::validate,
};

/// A sentence of a document: its characters, and its tokens as ranges of the document's characters.
struct Part {
    chars: Range<usize>,
    tokens: Vec<Range<usize>>,
}

/// What became of a span: a sentence and an index into its entities.
type Place = Option<(usize, usize)>;

impl Document {
    /// Converts the document to sentences of at least one token. `at` is its location in messages.
    ///
    /// A sentence boundary inside an entity joins the two sentences. What is left out or changed is added to `losses`.
    ///
    /// # Errors
    /// [`DataError::Invalid`] for an entity outside the text, an entity that cuts a token with [`CutPolicy::Refuse`],
    /// a relation with an argument that does not exist, an invalid token, and a type that the schema does not allow.
    pub fn sentences(
        &self,
        options: &AnnotationOptions,
        at: &Location,
        losses: &mut Losses,
    ) -> Result<Vec<Sentence>, DataError> {
        Segmenter { document: self, chars: self.text.chars().collect(), options, at, losses }.sentences()
    }
}

/// The conversion of a document.
struct Segmenter<'a> {
    document: &'a Document,
    chars: Vec<char>,
    options: &'a AnnotationOptions,
    at: &'a Location,
    losses: &'a mut Losses,
}

impl Segmenter<'_> {
    fn sentences(mut self) -> Result<Vec<Sentence>, DataError> {
        self.check()?;
        let parts = self.parts();
        let mut sentences: Vec<Sentence> = parts.iter().map(|part| self.sentence(part)).collect();
        let mut places: Vec<Place> = Vec::with_capacity(self.document.spans.len());
        for span in &self.document.spans {
            places.push(self.entity(span, &parts, &mut sentences)?);
        }
        self.relations(&places, &mut sentences);
        let several = sentences.len() > 1;
        if several && matches!(self.document.tokens, DocumentTokens::FromText | DocumentTokens::Given(_)) {
            self.losses.add(LossKind::DividedDocument, self.at.to_string());
        }
        for (number, sentence) in (1..).zip(&mut sentences) {
            if several {
                sentence.id = Id::name(format!("{}-{number}", self.document.id));
            }
            let merged = merge(sentence).0;
            let place = self.at.message(&format!("sentence {}", Quoted(sentence.id.as_str())));
            (0..merged.entities).for_each(|_| self.losses.add(LossKind::RepeatedEntity, place.as_str()));
            (0..merged.relations).for_each(|_| self.losses.add(LossKind::RepeatedRelation, place.as_str()));
            validate(sentence, self.options.schema.as_ref()).map_err(|fault| fault.at(self.at.clone()))?;
        }
        if sentences.is_empty() {
            self.losses.add(LossKind::EmptyDocument, self.at.to_string());
        }
        Ok(sentences)
    }

    fn invalid(&self, field: &str, expected: impl Into<String>, found: impl Into<String>) -> DataError {
        DataError::invalid(self.at.clone(), field, expected, found)
    }

    fn check(&self) -> Result<(), DataError> {
        let n_chars = self.chars.len();
        for DocumentSpan { kind, chars, name } in &self.document.spans {
            if kind.is_empty() {
                return Err(self.invalid(name, "a non-empty type", "\"\""));
            }
            if chars.start >= chars.end || chars.end > n_chars {
                let expected = format!("a start before the end, and an end of at most {n_chars} (the text's length)");
                return Err(self.invalid(name, expected, format!("{}..{}", chars.start, chars.end)));
            }
        }
        let n_spans = self.document.spans.len();
        for DocumentRelation { kind, head, tail, name } in &self.document.relations {
            if let Some(argument) = [head, tail].into_iter().find(|&&argument| argument >= n_spans) {
                let expected = format!("arguments less than {n_spans} (the number of entities)");
                return Err(self.invalid(name, expected, argument.to_string()));
            }
            if kind.is_empty() {
                return Err(self.invalid(name, "a non-empty type", "\"\""));
            }
        }
        let mut end = 0;
        for (i, token) in self.document.given_tokens().into_iter().enumerate() {
            if token.start < end || token.end < token.start || token.end > n_chars {
                let expected = format!("tokens in order, and within the text's length of {n_chars}");
                return Err(self.invalid(&format!("tokens[{i}]"), expected, format!("{}..{}", token.start, token.end)));
            }
            end = token.end;
        }
        Ok(())
    }

    /// The sentences, of at least one token each.
    fn parts(&mut self) -> Vec<Part> {
        let text = &self.document.text;
        let mut parts = match &self.document.tokens {
            DocumentTokens::FromText => {
                split_sentences(text).into_iter().map(|chars| Part { chars, tokens: Vec::new() }).collect()
            }
            DocumentTokens::Given(tokens) => given_parts(tokens, &split_sentences(text)),
            DocumentTokens::Sentences(sentences) | DocumentTokens::WithoutText(sentences) => {
                let parts = sentences.iter().filter_map(|tokens| {
                    let chars = tokens.first()?.start..tokens.last()?.end;
                    Some(Part { chars, tokens: tokens.clone() })
                });
                parts.collect::<Vec<Part>>()
            }
        };
        if self.options.whole_documents {
            let last = parts.len();
            join(&mut parts, 0..last);
        }
        for span in &self.document.spans {
            let first = parts.partition_point(|part| part.chars.end <= span.chars.start);
            let end = parts.partition_point(|part| part.chars.start < span.chars.end);
            if first + 1 < end {
                self.lose(LossKind::JoinedSentences, span, "");
                join(&mut parts, first..end);
            }
        }
        if self.document.tokens == DocumentTokens::FromText {
            for part in &mut parts {
                let tokens = self.options.tokenizer.tokens(&self.chars, part.chars.clone());
                part.tokens = tokens.into_iter().filter_map(|token| token.chars).collect();
            }
        }
        parts.retain(|part| !part.tokens.is_empty());
        parts
    }

    /// The sentence without its annotation.
    fn sentence(&self, part: &Part) -> Sentence {
        let is_raw = !matches!(self.document.tokens, DocumentTokens::WithoutText(_));
        let start = part.chars.start;
        let token = |range: &Range<usize>| Token {
            text: self.text(range),
            chars: is_raw.then(|| range.start - start..range.end - start),
        };
        Sentence {
            id: self.document.id.clone(),
            text: is_raw.then(|| self.text(&part.chars)),
            tokens: part.tokens.iter().map(token).collect(),
            ..Sentence::default()
        }
    }

    /// Adds the entity of a span to its sentence.
    fn entity(&mut self, span: &DocumentSpan, parts: &[Part], sentences: &mut [Sentence]) -> Result<Place, DataError> {
        let index = parts.partition_point(|part| part.chars.end <= span.chars.start);
        let tokens = parts.get(index).map_or(&[][..], |part| &part.tokens);
        let first = tokens.partition_point(|token| token.end <= span.chars.start);
        let end = tokens.partition_point(|token| token.start < span.chars.end);
        if first >= end {
            self.lose(LossKind::EntityWithoutToken, span, "");
            return Ok(None);
        }
        let hull = tokens[first].start..tokens[end - 1].end;
        if hull.start < span.chars.start || hull.end > span.chars.end {
            let whole = self.text(&hull);
            if self.options.cut_tokens == CutPolicy::Refuse {
                let expected = format!("an entity of whole tokens, such as {}", Quoted(&whole));
                return Err(self.invalid(&span.name, expected, Quoted(&self.text(&span.chars)).to_string()));
            }
            self.lose(LossKind::WidenedEntity, span, &format!(", widened to {}", Quoted(&whole)));
        } else if hull != span.chars {
            self.lose(LossKind::TrimmedEntity, span, "");
        }
        let entities = &mut sentences[index].entities;
        let other = entities.iter().find(|entity| entity.span() == (first..end) && entity.kind != span.kind);
        if let Some(other) = other {
            let kinds = format!(" of type {}, kept as {}", Quoted(&span.kind), Quoted(&other.kind));
            self.lose(LossKind::SecondType, span, &kinds);
            return Ok(None);
        }
        entities.push(Entity::new(&span.kind, first..end));
        Ok(Some((index, entities.len() - 1)))
    }

    fn relations(&mut self, places: &[Place], sentences: &mut [Sentence]) {
        for relation in &self.document.relations {
            let loss = match (places[relation.head], places[relation.tail]) {
                (Some((head_at, _)), Some((tail_at, _))) if head_at != tail_at => LossKind::RelationAcrossSentences,
                (Some((index, head)), Some((_, tail))) => {
                    let sentence = &mut sentences[index];
                    if sentence.entities[head] != sentence.entities[tail] {
                        sentence.relations.push(Relation::new(&relation.kind, head, tail));
                        continue;
                    }
                    LossKind::RelationWithItself
                }
                _ => LossKind::RelationWithoutEntity,
            };
            let argument = |span: usize| {
                let DocumentSpan { name, chars, .. } = &self.document.spans[span];
                format!("{name} {}", Quoted(&self.text(chars)))
            };
            let (head, tail) = (argument(relation.head), argument(relation.tail));
            let what = format!("{} of type {} from {head} to {tail}", relation.name, Quoted(&relation.kind));
            self.losses.add(loss, self.at.message(&what));
        }
    }

    fn text(&self, chars: &Range<usize>) -> String {
        self.chars[chars.clone()].iter().collect()
    }

    /// Counts a loss of a span. `more` follows its name and text.
    fn lose(&mut self, kind: LossKind, span: &DocumentSpan, more: &str) {
        let what = format!("{} {}{more}", span.name, Quoted(&self.text(&span.chars)));
        self.losses.add(kind, self.at.message(&what));
    }
}

/// The sentences of these tokens. A sentence grows to the end of a token that starts in it; a token outside all
/// sentences belongs to the one before it.
fn given_parts(tokens: &[Range<usize>], sentences: &[Range<usize>]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for token in tokens {
        let sentence = sentences.partition_point(|sentence| sentence.start <= token.start);
        let start = sentence.checked_sub(1).map_or(0, |i| sentences[i].start);
        match parts.last_mut() {
            Some(part) if part.chars.start >= start || part.chars.end > start => {
                part.chars.end = part.chars.end.max(token.end);
                part.tokens.push(token.clone());
            }
            _ => parts.push(Part { chars: token.clone(), tokens: vec![token.clone()] }),
        }
    }
    parts
}

/// Joins a range of sentences to one.
fn join(parts: &mut Vec<Part>, range: Range<usize>) {
    let mut joined = parts.drain(range.clone());
    let Some(mut first) = joined.next() else { return };
    for part in joined {
        first.chars.end = part.chars.end;
        first.tokens.extend(part.tokens);
    }
    parts.insert(range.start, first);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{labels::Schema, tokenize::TokenizerConfig};

    fn document(text: &str, spans: &[(&str, Range<usize>)], relations: &[(&str, usize, usize)]) -> Document {
        Document {
            id: "7".into(),
            text: text.into(),
            spans: spans
                .iter()
                .enumerate()
                .map(|(i, (kind, chars))| DocumentSpan {
                    kind: (*kind).into(),
                    chars: chars.clone(),
                    name: format!("T{i}"),
                })
                .collect(),
            relations: relations
                .iter()
                .map(|&(kind, head, tail)| DocumentRelation { kind: kind.into(), head, tail, name: "R".into() })
                .collect(),
            ..Document::default()
        }
    }

    fn convert(document: &Document) -> (Vec<Sentence>, Losses) {
        let mut losses = Losses::default();
        let at = Location::file("a");
        let sentences = document.sentences(&AnnotationOptions::default(), &at, &mut losses).unwrap();
        (sentences, losses)
    }

    fn span_texts(sentence: &Sentence) -> Vec<String> {
        sentence.entities.iter().map(|entity| sentence.span_text(entity.span())).collect()
    }

    #[test]
    fn offsets_become_tokens_of_sentences() {
        let text = "Zoë 👩‍👩‍👧 lives in Bonn.\r\n\r\nשרה\tlives in e\u{301}vora. ";
        let start = |word: &str| text[..text.find(word).unwrap()].chars().count();
        let spans = [
            ("P", 0..3),
            ("L", start("Bonn")..start("Bonn") + 4),
            ("P", start("שרה")..start("שרה") + 3),
            ("L", start("e\u{301}vora")..start("e\u{301}vora") + 6),
        ];
        let (sentences, losses) = convert(&document(text, &spans, &[("in", 0, 1), ("in", 2, 3), ("far", 0, 3)]));
        assert_eq!(span_texts(&sentences[0]), ["Zoë", "Bonn"]);
        assert_eq!(span_texts(&sentences[1]), ["שרה", "e\u{301}vora"]);
        assert_eq!(sentences.iter().map(|sentence| sentence.id.as_str()).collect::<Vec<_>>(), ["7-1", "7-2"]);
        assert_eq!(sentences[1].relations, [Relation::new("in", 0, 1)]);
        assert_eq!(
            losses.to_string(),
            "1 relations across sentences, left out; the first: a: R of type \"far\" from T0 \"Zoë\" to T3 \"e\\u{301}vora\"\n\
             1 documents of several sentences, divided; the first: a"
        );
    }

    #[test]
    fn a_boundary_inside_an_entity_joins_the_sentences() {
        let text = "He saw it. Who left? Ann left. She ran.";
        let (sentences, losses) = convert(&document(text, &[("X", 11..24), ("P", 31..34)], &[]));
        assert_eq!(sentences.len(), 3);
        assert_eq!(span_texts(&sentences[1]), ["Who left? Ann"]);
        assert_eq!(span_texts(&sentences[2]), ["She"]);
        assert_eq!(losses.count(LossKind::JoinedSentences), 1);
        let (sentences, losses) = convert(&document(text, &[("X", 11..21)], &[]));
        assert_eq!((sentences.len(), losses.count(LossKind::TrimmedEntity)), (4, 1), "a space is not a sentence");
    }

    #[test]
    fn entities_that_cut_tokens_widen_or_are_refused() {
        let cut = document("Anna left  Rome", &[("P", 0..3), ("X", 9..11), ("L", 10..15)], &[("in", 0, 1)]);
        let (sentences, losses) = convert(&cut);
        assert_eq!(span_texts(&sentences[0]), ["Anna", "Rome"]);
        assert_eq!(
            losses.to_string(),
            "1 entities that cut a token, widened to whole tokens; the first: a: T0 \"Ann\", widened to \"Anna\"\n\
             1 entities without a token, left out; the first: a: T1 \"  \"\n\
             1 entities with white space at an end, trimmed; the first: a: T2 \" Rome\"\n\
             1 relations with an argument that is not a kept entity, left out; the first: a: R of type \"in\" \
             from T0 \"Ann\" to T1 \"  \""
        );
        let options = AnnotationOptions { cut_tokens: CutPolicy::Refuse, ..AnnotationOptions::default() };
        let error = cut.sentences(&options, &Location::file("a"), &mut losses.clone()).unwrap_err();
        assert_eq!(error.to_string(), "a: T0: expected an entity of whole tokens, such as \"Anna\", found \"Ann\"");
    }

    #[test]
    fn duplicates_and_second_types_are_counted() {
        let spans = [("P", 0..3), ("P", 0..3), ("Q", 0..3), ("L", 9..13)];
        let relations = [("in", 0, 3), ("in", 1, 3), ("is", 0, 1), ("in", 2, 3)];
        let (sentences, losses) = convert(&document("Ann left Rome", &spans, &relations));
        assert_eq!((sentences[0].entities.len(), sentences[0].relations.len()), (2, 1));
        for kind in [
            LossKind::RepeatedEntity,
            LossKind::SecondType,
            LossKind::RepeatedRelation,
            LossKind::RelationWithItself,
            LossKind::RelationWithoutEntity,
        ] {
            assert_eq!(losses.count(kind), 1, "{kind}");
        }
    }

    #[test]
    fn given_tokens_are_kept() {
        let mut given = document("Ann-Lee left. Bob ran.", &[("P", 0..7)], &[]);
        given.tokens = DocumentTokens::Given(vec![0..7, 8..13, 14..17, 18..22]);
        let (sentences, losses) = convert(&given);
        let words: Vec<Vec<&str>> = sentences.iter().map(|sentence| sentence.words().collect()).collect();
        assert_eq!(words, [["Ann-Lee", "left."], ["Bob", "ran."]]);
        assert_eq!(losses.to_string(), "1 documents of several sentences, divided; the first: a");
        given.tokens = DocumentTokens::Given(vec![0..7, 8..17, 18..22]);
        let (sentences, _) = convert(&given);
        assert_eq!(sentences.len(), 1, "a token across the boundary");
        let whole = AnnotationOptions { whole_documents: true, ..AnnotationOptions::default() };
        let sentences = document("A. B.", &[], &[]).sentences(&whole, &Location::default(), &mut Losses::default());
        assert_eq!(sentences.unwrap().len(), 1);
    }

    #[test]
    fn wrong_offsets_types_and_tokens_are_errors() {
        let message = |document: &Document, options: &AnnotationOptions| {
            let error = document.sentences(options, &Location::file("a").with_record(2), &mut Losses::default());
            error.unwrap_err().to_string()
        };
        let options = AnnotationOptions::default();
        for chars in [0..4, 2..2, Range { start: 9, end: 1 }] {
            let found = format!("found {}..{}", chars.start, chars.end);
            let error = message(&document("Ann", &[("P", chars)], &[]), &options);
            assert!(error.starts_with("a: record 2, T0: expected a start before the end") && error.ends_with(&found));
        }
        assert!(message(&document("Ann", &[("", 0..3)], &[]), &options).contains("a non-empty type"));
        assert!(message(&document("Ann", &[("P", 0..3)], &[("", 0, 0)]), &options).contains("a non-empty type"));
        assert!(message(&document("Ann", &[], &[("R", 0, 0)]), &options).contains("less than 0"));
        let mut given = document("Ann", &[], &[]);
        given.tokens = DocumentTokens::Given(vec![0..2, 1..3]);
        assert!(message(&given, &options).contains("tokens[1]: expected tokens in order"));
        let mut schema = Schema::default();
        schema.entities.insert("L");
        let options = AnnotationOptions { schema: Some(schema), ..options };
        assert!(message(&document("Ann", &[("P", 0..3)], &[]), &options).contains("one of the types L"));
    }

    #[test]
    fn a_document_without_tokens_has_no_sentences() {
        for tokenizer in [TokenizerConfig::Auto, TokenizerConfig::Characters] {
            let mut losses = Losses::default();
            let options = AnnotationOptions { tokenizer, ..AnnotationOptions::default() };
            let blank = document(" \r\n\t\u{FEFF}", &[("P", 0..1)], &[]);
            assert_eq!(blank.sentences(&options, &Location::file("a"), &mut losses).unwrap(), []);
            assert_eq!(losses.count(LossKind::EmptyDocument), 1);
            assert_eq!(losses.count(LossKind::EntityWithoutToken), 1);
        }
    }
}
