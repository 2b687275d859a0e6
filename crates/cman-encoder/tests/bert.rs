//! BERT, RoBERTa and DistilBERT against the `transformers` library, and their errors for damaged files.

#![cfg(feature = "flex")]

mod common;

#[path = "bert/bad_files.rs"]
mod bad_files;
#[path = "bert/golden.rs"]
mod golden;
#[path = "bert/gradients.rs"]
mod gradients;
#[path = "bert/sentences.rs"]
mod sentences;
