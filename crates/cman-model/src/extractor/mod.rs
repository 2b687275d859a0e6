//! Extracts entities and relations from text.

mod document;
mod extraction;
mod options;
mod tokenized;
mod uncertainty;
mod windows;

use std::{borrow::Cow, path::Path, sync::Arc};

use burn::tensor::Device;
use cman_core::model::{Given, PredictOptions, Prediction};
use cman_data::{EncodedSentence, RawSentence, Sentence, Span};

pub use document::{Document, DocumentEntity, DocumentSentence, GivenEntity, TextSpan};
pub use extraction::{ExtractedEntity, ExtractedRelation, Extraction, ScoredSequence};
pub use options::{ExtractOptions, LongSentences, SignatureFilter};
pub use tokenized::TokenizedText;
pub use uncertainty::{Criterion, Uncertain, Uncertainty};

use crate::{
    error::ModelError,
    model::{LoadOptions, Model},
};
use extraction::Naming;
use windows::Window;

/// Sentences per batch.
const BATCH: usize = 32;

/// A trained model that reads text. It is `Send + Sync`: threads can share one extractor, and a clone shares the model.
///
/// ```no_run
/// use burn_ragged::DeviceKind;
/// use cman_model::{ExtractOptions, Extractor, SignatureFilter};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let extractor = Extractor::load("model".as_ref(), &DeviceKind::Flex.device()?)?;
/// let precise = extractor.with_options(ExtractOptions {
///     entity_threshold: 0.8,
///     relation_threshold: Some(0.8),
///     signatures: SignatureFilter::Trained,
///     ..ExtractOptions::default()
/// })?;
/// let document = precise.extract_document("Zoë lives in Köln. Her brother works for Nestlé in Vevey.")?;
/// for entity in &document.entities {
///     println!("{} {} at byte {}", entity.kind, entity.text, entity.span.bytes.start);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Extractor {
    model: Arc<Model>,
    options: ExtractOptions,
}

impl Extractor {
    /// Loads a model directory on `device`.
    ///
    /// # Errors
    /// A file that is missing, damaged or inconsistent with the others.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        Ok(Self::new(Model::load(folder, device)?))
    }

    /// Loads a model directory on `device`, with options.
    ///
    /// # Errors
    /// Those of [`Model::load_with`].
    pub fn load_with(folder: &Path, device: &Device, options: &LoadOptions) -> Result<Self, ModelError> {
        Ok(Self::new(Model::load_with(folder, device, options)?))
    }

    /// An extractor with this model.
    pub fn new(model: Model) -> Self {
        Self { model: Arc::new(model), options: ExtractOptions::default() }
    }

    /// An extractor with the same model and these options.
    ///
    /// # Errors
    /// [`ModelError::Setting`] for a value out of range, or a type that the model does not know.
    pub fn with_options(&self, options: ExtractOptions) -> Result<Self, ModelError> {
        options.check(self.model.schema(), self.model.signatures())?;
        Ok(Self { model: Arc::clone(&self.model), options })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What is extracted.
    pub fn options(&self) -> &ExtractOptions {
        &self.options
    }

    /// Extracts from every sentence of a text. A text without tokens has no sentence.
    ///
    /// # Errors
    /// As [`extract_sentences`](Self::extract_sentences).
    pub fn extract(&self, text: &str) -> Result<Vec<Extraction>, ModelError> {
        Ok(self.extract_batch(&[text])?.remove(0))
    }

    /// Extracts from many texts. This is faster than one call per text, because sentences of all texts form batches.
    ///
    /// # Errors
    /// As [`extract_sentences`](Self::extract_sentences).
    pub fn extract_batch(&self, texts: &[&str]) -> Result<Vec<Vec<Extraction>>, ModelError> {
        let raw: Vec<Vec<RawSentence>> = texts.iter().map(|text| self.sentences(text)).collect();
        let sentences: Vec<Sentence> = raw.iter().flatten().map(|raw| raw.sentence.clone()).collect();
        let mut found = self.extract_sentences(&sentences)?.into_iter();
        let of_text = |raw: &Vec<RawSentence>| {
            let pairs = raw.iter().zip(&mut found);
            pairs.map(|(raw, extraction)| Extraction { offset: raw.offset, ..extraction }).collect()
        };
        Ok(raw.iter().map(of_text).collect())
    }

    /// Extracts from a text, with offsets in the text.
    ///
    /// # Errors
    /// As [`extract_sentences`](Self::extract_sentences).
    pub fn extract_document(&self, text: &str) -> Result<Document, ModelError> {
        Ok(Document::of(text, self.extract(text)?))
    }

    /// Extracts from many texts, with offsets in each text.
    ///
    /// # Errors
    /// As [`extract_sentences`](Self::extract_sentences).
    pub fn extract_documents(&self, texts: &[&str]) -> Result<Vec<Document>, ModelError> {
        let found = self.extract_batch(texts)?.into_iter().zip(texts);
        Ok(found.map(|(extractions, text)| Document::of(text, extractions)).collect())
    }

    /// Finds relations between given entities of a text. The entities of the result are the given ones, from left to
    /// right, each with its probability under the CRF.
    ///
    /// # Errors
    /// [`ModelError::GivenEntity`] for an entity that does not consist of whole tokens of one sentence; those of
    /// [`relate_sentences`](Self::relate_sentences).
    pub fn relate_document(&self, text: &str, entities: &[GivenEntity]) -> Result<Document, ModelError> {
        Ok(self.extract_tokenized(&[self.tokenize_with(text, entities)?])?.remove(0))
    }

    /// Extracts from tokenized sentences. Annotation is ignored. If a sentence has no text, its text is its tokens
    /// joined by spaces.
    ///
    /// # Errors
    /// A sentence that [`check`](Self::check) refuses.
    pub fn extract_sentences(&self, sentences: &[Sentence]) -> Result<Vec<Extraction>, ModelError> {
        self.run(sentences, false)
    }

    /// Finds relations between the entities with which tokenized sentences are annotated. The entities of the result are
    /// these, in their order, each with its probability under the CRF. [`ExtractOptions::entity_threshold`] leaves none out.
    ///
    /// # Errors
    /// A sentence that [`check`](Self::check) refuses; an entity that is invalid, of a type that the model does not know, or
    /// cut by every window of a sentence that is too long to be read as a whole.
    pub fn relate_sentences(&self, sentences: &[Sentence]) -> Result<Vec<Extraction>, ModelError> {
        self.run(sentences, true)
    }

    /// Checks that a sentence can be read.
    ///
    /// # Errors
    /// A sentence without tokens, an empty token, one above the limits of the options, or a sentence that needs more memory
    /// than there is ([`LoadOptions::max_memory`]).
    pub fn check(&self, sentence: &Sentence) -> Result<(), ModelError> {
        let options = &self.options;
        self.model.vocabularies().encode_tokens(sentence)?;
        if options.long_sentences == LongSentences::Refuse && sentence.len() > options.max_tokens {
            return Err(ModelError::LongSentence { tokens: sentence.len(), most: options.max_tokens });
        }
        let longest = sentence.words().map(|word| word.chars().count()).max().unwrap_or(0);
        if longest > options.max_characters {
            return Err(ModelError::LongToken { characters: longest, most: options.max_characters });
        }
        match &windows::windows(sentence.len(), options.max_tokens)[..] {
            [_whole] => self.model.check_memory(sentence),
            parts => self.model.check_memory(&parts[0].of(sentence)),
        }
    }

    fn sentences(&self, text: &str) -> Vec<RawSentence> {
        self.model.config().data.tokenizer.sentences(text)
    }

    /// Extracts from sentences. `related`: their entities are given.
    fn run(&self, sentences: &[Sentence], related: bool) -> Result<Vec<Extraction>, ModelError> {
        sentences.iter().try_for_each(|sentence| self.check(sentence))?;
        let windows: Vec<Vec<Window>> =
            sentences.iter().map(|sentence| windows::windows(sentence.len(), self.options.max_tokens)).collect();
        let parts: Cow<[Sentence]> = if windows.iter().all(|windows| windows.len() == 1) {
            Cow::Borrowed(sentences)
        } else {
            let parts = sentences.iter().zip(&windows);
            Cow::Owned(parts.flat_map(|(sentence, windows)| windows.iter().map(|w| w.of(sentence))).collect())
        };
        let mut predictions = if related { self.relate(&parts)? } else { self.predict(&parts)? }.into_iter();
        let naming = self.naming();
        let of_sentence = |(sentence, windows): (&Sentence, &Vec<Window>)| {
            let mut own: Vec<Prediction> = predictions.by_ref().take(windows.len()).collect();
            let prediction = if own.len() == 1 {
                own.remove(0)
            } else {
                let given = if related { Some(self.given(sentence, windows)?) } else { None };
                windows::merge(windows, own, given.as_deref())
            };
            Ok(naming.extraction(sentence, &prediction, windows.len()))
        };
        sentences.iter().zip(&windows).map(of_sentence).collect()
    }

    fn predict(&self, sentences: &[Sentence]) -> Result<Vec<Prediction>, ModelError> {
        let encode = |sentence| self.model.vocabularies().encode_tokens(sentence);
        let encoded = sentences.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        self.model.predict_encoded(sentences, &encoded, BATCH, Given::Nothing, self.predict_options())
    }

    /// The relations between the entities of sentences.
    fn relate(&self, sentences: &[Sentence]) -> Result<Vec<Prediction>, ModelError> {
        let (model, schema) = (&self.model, self.model.schema());
        let encode = |sentence| model.vocabularies().encode(sentence, schema);
        let encoded: Vec<EncodedSentence> = sentences.iter().map(encode).collect::<Result<_, _>>()?;
        let spans: Vec<Vec<Span>> = sentences.iter().map(|sentence| spans(sentence, schema)).collect();
        let tags: Vec<Vec<u32>> = encoded.iter().map(|sentence| sentence.tags.clone()).collect();
        model.predict_encoded(sentences, &encoded, BATCH, Given::Entities(&spans, &tags), self.predict_options())
    }

    /// The entities of a sentence that is read in windows.
    fn given(&self, sentence: &Sentence, windows: &[Window]) -> Result<Vec<Span>, ModelError> {
        if let Some(index) = sentence.entities.iter().position(|entity| windows::is_cut(entity, windows)) {
            let entity = &sentence.entities[index];
            let expected = format!("an entity that fits into a window of {} tokens", self.options.max_tokens);
            return Err(ModelError::GivenEntity { index, expected, start: entity.start, end: entity.end });
        }
        Ok(spans(sentence, self.model.schema()))
    }

    fn naming(&self) -> Naming<'_> {
        Naming {
            schema: self.model.schema(),
            calibration: self.model.calibration(),
            options: &self.options,
            trained: self.model.signatures(),
        }
    }

    fn predict_options(&self) -> PredictOptions {
        let (options, calibration) = (&self.options, self.model.calibration());
        let of_model = self.model.predict_options();
        PredictOptions {
            threshold: options.relation_threshold.map_or(of_model.threshold, |t| calibration.relation_probability(t)),
            entity_threshold: calibration.entity_probability(options.entity_threshold),
            relations: options.relations,
            n_best: options.n_best,
            ..of_model
        }
    }
}

/// The entities of a valid sentence.
fn spans(sentence: &Sentence, schema: &cman_data::Schema) -> Vec<Span> {
    let span = |entity: &cman_data::Entity| {
        let kind = schema.entities.id(&entity.kind).expect("a validated type");
        Span { start: entity.start, end: entity.end, kind }
    };
    sentence.entities.iter().map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_can_share_an_extractor() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Extractor>();
    }
}
