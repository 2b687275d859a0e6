//! ELMo against reference values (`elmo/README.md`) and the published vectors, and its errors for damaged files.

#![cfg(any(feature = "flex", feature = "ndarray"))]

mod common;

#[path = "elmo/damaged.rs"]
mod damaged;
#[path = "elmo/files.rs"]
mod files;
#[path = "elmo/fixture.rs"]
mod fixture;
#[path = "elmo/published.rs"]
mod published;
#[path = "../../../tests/real_data/mod.rs"]
mod real_data;
#[path = "elmo/reference.rs"]
mod reference;
#[path = "elmo/sentences.rs"]
mod sentences;
