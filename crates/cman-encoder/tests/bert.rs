//! The encoders against the `transformers` library, and against files that are not what they should be.

#[path = "bert/bad_files.rs"]
mod bad_files;
#[path = "bert/golden.rs"]
mod golden;
#[path = "bert/gradients.rs"]
mod gradients;
#[path = "bert/sentences.rs"]
mod sentences;
