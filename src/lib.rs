//! Joint entity and relation extraction with the Cross-Modal Attention Network (Zhao et al., IJCAI 2020), in pure Rust
//! on burn, on a CPU or a GPU, chosen when the program runs.
//!
//! ```no_run
//! use cman::{DeviceKind, Extractor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let extractor = Extractor::load("model".as_ref(), &DeviceKind::Flex.device()?)?;
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
//! | to | use | feature |
//! |---|---|---|
//! | find entities and relations in text | [`Extractor`] | |
//! | read corpora | [`Corpus`], [`Splits`], or the streaming readers of [`data`] | |
//! | train | `Learner`, with a [`Config`] | `train` |
//! | build on the network itself | `core`, `encoder`, `ragged` | `train` |
//! | score predictions | `scoring` | `train` |
//! | run experiments and report on them | `experiment` | `experiment` |
//!
//! Encoders by their name on the Hugging Face hub need the feature `hub`. The other features are backends: `flex` (on by
//! default), `ndarray`, `wgpu`, `vulkan`, `metal`, `cuda`.

pub use burn::tensor::Device;
pub use burn_ragged::{DeviceError, DeviceKind};
pub use cman_data as data;
pub use cman_data::{Corpus, DataError, Entity, Relation, Schema, Sentence, Splits, sample};
pub use cman_model::{
    Calibration, Config, Document, DocumentEntity, DocumentSentence, ExtractOptions, ExtractedEntity,
    ExtractedRelation, Extraction, Extractor, GivenEntity, LoadOptions, LongSentences, MemoryLimit, Model, ModelError,
    ScoredSequence, Signature, SignatureFilter, Signatures, TextSpan,
};

#[cfg(feature = "train")]
pub use {
    burn_ragged as ragged, cman_core as core, cman_encoder as encoder, cman_model as model, cman_score as scoring,
    cman_train as train,
    cman_train::{
        Checkpoints, EpochLog, EpochReport, Evaluation, Learner, Observer, TrainError, Trained, TrainingData, evaluate,
    },
};

#[cfg(feature = "experiment")]
pub use cman_experiment as experiment;

/// Tests the examples of the README, of the tutorial and of the crates' READMEs.
#[cfg(doctest)]
mod book {
    macro_rules! page {
        ($name:ident, $file:literal) => {
            #[doc = include_str!($file)]
            struct $name;
        };
    }
    page!(Readme, "../README.md");
    page!(Tutorial, "../docs/TUTORIAL.md");
    page!(Recipes, "../docs/RECIPES.md");
    page!(Ragged, "../crates/burn-ragged/README.md");
    page!(Core, "../crates/cman-core/README.md");
    page!(Data, "../crates/cman-data/README.md");
    page!(Model, "../crates/cman-model/README.md");
    #[cfg(feature = "train")]
    page!(Score, "../crates/cman-score/README.md");
    #[cfg(feature = "train")]
    page!(Train, "../crates/cman-train/README.md");
    #[cfg(feature = "experiment")]
    page!(Experiment, "../crates/cman-experiment/README.md");
}
