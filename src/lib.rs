//! Joint entity and relation extraction with the Cross-Modal Attention Network (Zhao et al., IJCAI 2020), in pure Rust
//! on burn: train, evaluate and extract, on a CPU or a GPU, chosen when the program runs.
//!
//! ```no_run
//! use cman::{Backend, Extractor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let extractor = Extractor::load("model".as_ref(), &Backend::Flex.device()?)?;
//! for sentence in extractor.extract("Mrs. Tsuruyama is from Kumamoto Prefecture in Japan.")? {
//!     for relation in &sentence.relations {
//!         let (head, tail) = (&sentence.entities[relation.head], &sentence.entities[relation.tail]);
//!         println!("{}({}, {}) {:.2}", relation.kind, head.text, tail.text, relation.confidence);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | to | use |
//! |---|---|
//! | find entities and relations in text | [`Extractor`] |
//! | read corpora | [`Corpus`], [`Splits`], or the streaming readers of [`data`] |
//! | train | [`Learner`], with a [`Config`] |
//! | score predictions | [`scoring`] |
//! | build on the network itself | [`core`] |

mod extractor;
pub mod sample;

pub use burn::tensor::Device;
pub use cman_core as core;
pub use cman_core::{Backend, DeviceError};
pub use cman_data as data;
pub use cman_data::{Corpus, DataError, Entity, Relation, Schema, Sentence, Splits};
pub use cman_train as train;
pub use cman_train::{
    Checkpoints, Config, EpochLog, EpochReport, Learner, Model, Observer, TrainError, Trained, TrainingData, scoring,
};
pub use extractor::{ExtractedEntity, ExtractedRelation, Extraction, Extractor};
