//! Trained models for joint entity and relation extraction, and prediction with them.
//!
//! A [`Config`] holds every setting of a run, training included; a model directory contains it. [`Model::load`] reads a
//! model directory, [`Model::predict`] finds entities and relations in sentences, and an [`Extractor`] does the same
//! for text. Training is in `cman-train`, which makes models and saves them.
//!
//! ```no_run
//! use burn_ragged::DeviceKind;
//! use cman_model::Extractor;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let extractor = Extractor::load("model".as_ref(), &DeviceKind::Flex.device()?)?;
//! for sentence in extractor.extract("Mrs. Tsuruyama is from Kumamoto Prefecture in Japan.")? {
//!     println!("{} entities", sentence.entities.len());
//! }
//! # Ok(())
//! # }
//! ```

mod batches;
mod calibration;
mod encoder;
mod error;
mod extractor;
mod inference;
mod memory;
mod model;
mod package;
mod settings;
mod signatures;

pub use batches::Limits;
pub use calibration::Calibration;
pub use encoder::{EncodedSize, Encoder, SearchPath, is_hub_name};
pub use error::ModelError;
pub use extractor::{
    Criterion, Document, DocumentEntity, DocumentSentence, ExtractOptions, ExtractedEntity, ExtractedRelation,
    Extraction, Extractor, GivenEntity, LongSentences, ScoredSequence, SignatureFilter, TextSpan, TokenizedText,
    Uncertain, Uncertainty,
};
pub use inference::{Batching, ContextualVectors, annotate, predict};
pub use memory::{MemoryLeft, MemoryLimit, ParseMemoryError, PredictionMemory};
pub use model::{LoadOptions, Model};
pub use package::{About, Card, Measured, PackedFile, Packing, Precision};
pub use settings::{
    AdversarialConfig, Config, DataConfig, EncoderConfig, EncoderKind, Keep, Schedule, ScheduleKind, Scope,
    TrainConfig, VectorConfig, read_toml,
};
pub use signatures::{Signature, Signatures};
