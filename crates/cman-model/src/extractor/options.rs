//! What is extracted.

use cman_data::{MAX_CHARACTERS, Schema};
use serde::{Deserialize, Serialize};

use crate::{
    error::ModelError,
    signatures::{Signature, Signatures},
};

/// The most sequences of tags that are returned for a sentence.
const MAX_SEQUENCES: usize = 64;

/// What is extracted, and from how long a sentence. In files and requests every key may be left out.
///
/// ```
/// use cman_model::{ExtractOptions, SignatureFilter};
///
/// let options: ExtractOptions = serde_json::from_str(r#"{"relation_threshold": 0.7, "signatures": "trained"}"#)?;
/// assert_eq!(options.signatures, SignatureFilter::Trained);
/// assert_eq!(options, ExtractOptions {
///     relation_threshold: Some(0.7),
///     signatures: SignatureFilter::Trained,
///     ..ExtractOptions::default()
/// });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtractOptions {
    /// Entities with a lower confidence are left out, and so are their relations. Default: 0, all entities.
    pub entity_threshold: f64,
    /// Relations need a higher confidence. Default: the threshold of the model.
    pub relation_threshold: Option<f64>,
    /// Which combinations of entity and relation types are allowed. Default: all.
    pub signatures: SignatureFilter,
    /// Whether relations are extracted. Default: yes.
    pub relations: bool,
    /// Number of best tag sequences that are returned with each sentence. Default: none.
    pub n_best: usize,
    /// The longest sentence that is read as a whole, in tokens. Default: 512. Memory grows with its square.
    pub max_tokens: usize,
    /// The longest token, in Unicode scalar values. A sentence with a longer one is an error. Default: 256, as
    /// many as the character encoder reads.
    pub max_characters: usize,
    /// What happens to a sentence above `max_tokens`.
    pub long_sentences: LongSentences,
}

/// Which combinations of entity and relation types are allowed.
///
/// ```
/// use cman_model::{Signature, SignatureFilter};
///
/// let json = r#"{"only": [{"head": "Peop", "type": "Live_In", "tail": "Loc"}]}"#;
/// let filter: SignatureFilter = serde_json::from_str(json)?;
/// assert_eq!(filter, SignatureFilter::Only(vec![Signature::new("Peop", "Live_In", "Loc")]));
/// assert_eq!(serde_json::from_str::<SignatureFilter>(r#""any""#)?, SignatureFilter::Any);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureFilter {
    /// All.
    #[default]
    Any,
    /// Those of the training corpus.
    Trained,
    /// These.
    Only(Vec<Signature>),
}

/// What happens to a sentence that is longer than [`ExtractOptions::max_tokens`].
///
/// ```
/// let choice: cman_model::LongSentences = serde_json::from_str(r#""refuse""#)?;
/// assert_eq!(choice, cman_model::LongSentences::Refuse);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongSentences {
    /// It is read in windows of `max_tokens` tokens that overlap by a quarter or more. Relations between entities that no
    /// window contains together are not found. [`Extraction::windows`](crate::Extraction::windows) says that it happened.
    #[default]
    Windows,
    /// It is an error.
    Refuse,
}

impl Default for ExtractOptions {
    fn default() -> Self {
        Self {
            entity_threshold: 0.0,
            relation_threshold: None,
            signatures: SignatureFilter::Any,
            relations: true,
            n_best: 0,
            max_tokens: 512,
            max_characters: MAX_CHARACTERS,
            long_sentences: LongSentences::Windows,
        }
    }
}

impl ExtractOptions {
    /// Checks the options for a model with these types and signatures.
    ///
    /// # Errors
    /// [`ModelError::Setting`] for a value out of range, a type that the model does not know, or
    /// [`SignatureFilter::Trained`] for a model without signatures.
    pub(crate) fn check(&self, schema: &Schema, signatures: Option<&Signatures>) -> Result<(), ModelError> {
        let fail = |field, expected, found: String| Err(ModelError::Setting { field, expected, found });
        let (entities, relations) = (self.entity_threshold, self.relation_threshold.unwrap_or(0.0));
        if !(0.0..=1.0).contains(&entities) {
            return fail("entity_threshold", "a number from 0 to 1", entities.to_string());
        }
        if !(0.0..=1.0).contains(&relations) {
            return fail("relation_threshold", "a number from 0 to 1", relations.to_string());
        }
        if self.n_best > MAX_SEQUENCES {
            return fail("n_best", "at most 64", self.n_best.to_string());
        }
        if self.max_tokens == 0 {
            return fail("max_tokens", "at least 1", "0".into());
        }
        match &self.signatures {
            SignatureFilter::Any => {}
            SignatureFilter::Trained if signatures.is_some() => {}
            SignatureFilter::Trained => {
                let found = "a model that was saved without those of its training data".into();
                return fail("signatures", "a model with signatures", found);
            }
            SignatureFilter::Only(allowed) => {
                let is_known = |signature: &&Signature| {
                    let entities = [&signature.head, &signature.tail];
                    entities.into_iter().all(|kind| schema.entities.id(kind).is_some())
                        && schema.relations.id(&signature.kind).is_some()
                };
                if let Some(unknown) = allowed.iter().find(|signature| !is_known(signature)) {
                    return fail("signatures", "types of the model", unknown.to_string());
                }
            }
        }
        Ok(())
    }

    /// Whether relations with this signature are allowed.
    pub(crate) fn allows(&self, signature: impl FnOnce() -> Signature, trained: Option<&Signatures>) -> bool {
        match &self.signatures {
            SignatureFilter::Any => true,
            SignatureFilter::Trained => trained.is_some_and(|trained| trained.contains(&signature())),
            SignatureFilter::Only(allowed) => allowed.contains(&signature()),
        }
    }
}
