//! Corpora for joint entity and relation extraction: document model, readers and writers, labels, vocabularies.

pub mod file;
pub mod sample;

mod bio;
mod contextual_vectors;
mod corpus;
mod encode;
mod error;
mod labels;
mod lines;
mod sentence;
mod source;
mod statistics;
mod tokenize;
mod validate;
mod vectors;
mod vocabulary;

pub use bio::{Span, Tag, decode, encode};
pub use contextual_vectors::{ContextualVectorReader, ContextualVectorWriter, EncoderIdentity, Precision};
pub use corpus::{
    Corpus, CorpusDir, Format, OnError, OverlapPolicy, Reader, ReaderBuilder, Report, Splits, write_multihead,
    write_spert, write_types,
};
pub use encode::{EncodedRelation, EncodedSentence, Unrepresentable, Vocabularies};
pub use error::{DataError, Location, json_reason};
pub use labels::{LabelSet, Schema};
pub use lines::Lines;
pub use sentence::{Entity, Relation, Sentence, Token};
pub use statistics::{Lengths, Statistics, TypeCount};
pub use tokenize::{RawSentence, TokenizerConfig, sentences_from_text, split_sentences, tokenize};
pub use vectors::{VectorReader, VectorReport};
pub use vocabulary::{PADDING, UNKNOWN, Vocabulary};
