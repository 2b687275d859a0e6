//! A text that is cut and checked before it is read.

use std::borrow::Borrow;

use cman_data::{InputRecord, RawSentence, Sentence};

use super::{Document, Extraction, Extractor, GivenEntity, document, windows};
use crate::error::ModelError;

/// A text, cut into sentences and tokens, that an [`Extractor`] can read: each of its sentences was checked.
///
/// Cutting a text needs no model. A service does it when the text arrives, so that it knows the number of tokens before
/// it forms a batch, and refuses a text that cannot be read at once.
#[derive(Clone, Debug)]
pub struct TokenizedText {
    text: String,
    sentences: Vec<RawSentence>,
    given: bool,
}

impl TokenizedText {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its sentences.
    pub fn sentences(&self) -> &[RawSentence] {
        &self.sentences
    }

    /// Number of tokens of all sentences.
    pub fn tokens(&self) -> usize {
        self.sentences.iter().map(|raw| raw.sentence.len()).sum()
    }
}

impl Extractor {
    /// Cuts a text into sentences and checks them.
    ///
    /// # Errors
    /// A sentence that [`check`](Self::check) refuses.
    pub fn tokenize(&self, text: impl Into<String>) -> Result<TokenizedText, ModelError> {
        let text = text.into();
        let sentences = self.sentences(&text);
        sentences.iter().try_for_each(|raw| self.check(&raw.sentence))?;
        Ok(TokenizedText { text, sentences, given: false })
    }

    /// Checks a sentence that is already cut. If it has no text, its text is its tokens joined by spaces.
    ///
    /// # Errors
    /// A sentence that [`check`](Self::check) refuses.
    pub fn tokenize_sentence(&self, sentence: Sentence) -> Result<TokenizedText, ModelError> {
        self.check(&sentence)?;
        let text = sentence.text.clone().unwrap_or_else(|| sentence.span_text(0..sentence.len()));
        Ok(TokenizedText { text, sentences: vec![RawSentence { offset: 0, sentence }], given: false })
    }

    /// Checks a record of an [`Input`](cman_data::Input) that was opened with the tokenizer of the model.
    ///
    /// # Errors
    /// A sentence that [`check`](Self::check) refuses.
    pub fn tokenize_record(&self, record: InputRecord) -> Result<TokenizedText, ModelError> {
        let InputRecord { text, mut sentences, .. } = record;
        let Some(text) = text else {
            let (_, sentence) = sentences.pop().expect("a record without a text is one sentence");
            return self.tokenize_sentence(sentence);
        };
        sentences.iter().try_for_each(|(_, sentence)| self.check(sentence))?;
        let raw = |(offset, sentence): (Option<usize>, _)| RawSentence { offset: offset.unwrap_or(0), sentence };
        Ok(TokenizedText { text, sentences: sentences.into_iter().map(raw).collect(), given: false })
    }

    /// Cuts a text whose entities are given into sentences and checks them.
    ///
    /// # Errors
    /// Those of [`relate_document`](Self::relate_document).
    pub fn tokenize_with(
        &self,
        text: impl Into<String>,
        entities: &[GivenEntity],
    ) -> Result<TokenizedText, ModelError> {
        let mut tokenized = self.tokenize(text)?;
        let mut entities = entities.to_vec();
        entities.sort_by_key(|entity| (entity.start, entity.end));
        document::give(&mut tokenized.sentences, &entities)?;
        for RawSentence { sentence, .. } in &tokenized.sentences {
            self.model.vocabularies().encode(sentence, self.model.schema())?;
            self.given(sentence, &windows::windows(sentence.len(), self.options.max_tokens))?;
        }
        Ok(TokenizedText { given: true, ..tokenized })
    }

    /// Extracts from texts that this extractor cut. The results equal those of
    /// [`extract_documents`](Self::extract_documents), and of [`relate_document`](Self::relate_document) for texts whose
    /// entities were given.
    ///
    /// # Errors
    /// Those of [`extract_sentences`](Self::extract_sentences) and [`relate_sentences`](Self::relate_sentences).
    pub fn extract_tokenized<T: Borrow<TokenizedText>>(&self, texts: &[T]) -> Result<Vec<Document>, ModelError> {
        let run = |given: bool| {
            let own = texts.iter().map(Borrow::borrow).filter(|text| text.given == given);
            let sentences: Vec<Sentence> =
                own.flat_map(|text| &text.sentences).map(|raw| raw.sentence.clone()).collect();
            Ok::<_, ModelError>(self.run(&sentences, given)?.into_iter())
        };
        let (mut found, mut related) = (run(false)?, run(true)?);
        let of_text = |text: &T| {
            let TokenizedText { text, sentences, given } = text.borrow();
            let source = if *given { &mut related } else { &mut found };
            let pairs = sentences.iter().zip(source);
            Document::of(text, pairs.map(|(raw, found)| Extraction { offset: raw.offset, ..found }).collect())
        };
        Ok(texts.iter().map(of_text).collect())
    }
}
