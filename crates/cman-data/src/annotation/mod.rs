//! Readers and writers for the formats of annotation tools.
//!
//! A reader makes a [`Document`] of each record: text, spans of characters and relations. [`Document::sentences`] makes
//! sentences of tokens of it. What is left out or changed on the way is counted in [`Losses`].

mod annotation_source;
mod brat;
mod brat_line;
mod brat_writer;
mod collector;
mod corpus;
mod doccano;
mod document;
mod dygie;
#[cfg(test)]
mod fixture;
mod format;
mod gliner;
mod label_studio;
mod label_studio_writer;
mod losses;
mod natural_order;
mod offsets;
mod options;
mod pre_annotation;
mod prediction;
mod prodigy;
mod read;
mod recognize;
mod segmentation;
mod sentence_text;
mod tags;
mod token_spans;
mod tree;
mod unified_ade;
mod webanno;
mod webanno_schema;
mod write;

pub use corpus::SplitLosses;
pub use document::{Document, DocumentRelation, DocumentSpan, DocumentTokens};
pub use format::AnnotationFormat;
pub use losses::{Loss, LossKind, Losses};
pub use options::{AnnotationOptions, CutPolicy};
pub use pre_annotation::{PreAnnotation, PreAnnotationWriter, PredictedSentence};
pub use read::{read_annotations, read_annotations_from};
pub use recognize::{recognize_annotations, recognize_annotations_in};
pub use tree::files as files_in;
pub use write::{write_annotations, write_annotations_to};
