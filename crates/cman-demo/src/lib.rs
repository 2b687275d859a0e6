//! A small model that comes along, so that the first minute needs no training.
//!
//! It finds people, places and organisations, and five relations between them, in English sentences like those of the
//! sample corpus. Its scores are in its card (`cman card`). For anything else, train a model on your own data.
//!
//! ```
//! use cman_model::{Card, Extractor, LoadOptions, Model};
//! use burn_ragged::DeviceKind;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::from_package(cman_demo::PACKAGE, &DeviceKind::Flex.device()?, &LoadOptions::default())?;
//! let found = Extractor::new(model).extract("Maria Keller lives in Oslo.")?;
//! assert_eq!(found[0].entities[0].text, "Maria Keller");
//! assert!(Card::from_package(cman_demo::PACKAGE)?.measured[0].entities > 70.0);
//! # Ok(())
//! # }
//! ```

/// The package of the model, as `cman package` writes it.
pub const PACKAGE: &[u8] = include_bytes!("../demo.cman");
