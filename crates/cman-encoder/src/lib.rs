//! Contextual word vectors from pretrained encoders, on [burn](https://burn.dev).
//!
//! An encoder is a folder of published files. It gives every word of a sentence one vector per layer.
//!
//! | encoder | type | files | fine-tuning |
//! |---|---|---|---|
//! | ELMo (Peters et al. 2018) | [`Elmo`] | `options.json`, `weights.hdf5` | no |
//! | BERT (Devlin et al. 2019), MiniLM | [`Bert`] | `config.json`, `tokenizer.json`, `model.safetensors` | yes |
//! | RoBERTa (Liu et al. 2019) | [`Bert`] | as BERT | yes |
//! | DistilBERT (Sanh et al. 2019) | [`Bert`] | as BERT | yes |
//!
//! [`ContextualEncoder`] is what they have in common.

mod bert;
mod contextual;
mod elmo;
mod error;
mod hash;
#[cfg(feature = "hub")]
mod hub;

pub use bert::{Activation, Bert, BertConfig, BertNetwork, Block, Family, Pieces, Pooling};
pub use contextual::ContextualEncoder;
pub use elmo::{Elmo, ElmoState};
pub use error::EncoderError;
#[cfg(feature = "hub")]
pub use hub::{Hub, HubError};

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
