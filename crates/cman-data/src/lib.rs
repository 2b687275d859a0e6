//! Corpora for joint entity and relation extraction: document model, readers and writers, labels, vocabularies.

pub mod file;
pub mod path;
pub mod sample;

#[cfg(feature = "annotation")]
mod annotation;
mod bio;
mod contextual_vectors;
mod corpus;
mod digits;
mod encode;
mod error;
mod id;
mod input;
mod labels;
mod lines;
mod long_tokens;
mod near_duplicates;
#[cfg(feature = "parquet")]
mod parquet;
mod partition;
mod plain_message;
mod reasons;
mod recognition;
mod sentence;
mod source;
mod statistics;
mod tokenize;
mod validate;
mod vectors;
mod vocabulary;

#[cfg(feature = "annotation")]
pub use annotation::{
    AnnotationFormat, AnnotationOptions, CutPolicy, Document, DocumentRelation, DocumentSpan, DocumentTokens, Loss,
    LossKind, Losses, PreAnnotation, PreAnnotationWriter, PredictedSentence, SplitLosses, files_in, read_annotations,
    read_annotations_from, recognize_annotations, recognize_annotations_in, write_annotations, write_annotations_to,
};
pub use bio::{Span, Tag, decode, encode};
pub use contextual_vectors::{ContextualVectorReader, ContextualVectorWriter, EncoderIdentity, Precision};
pub use corpus::{
    Corpus, CorpusDir, Format, OnError, OverlapPolicy, Reader, ReaderBuilder, Report, SplitFiles, Splits,
    write_json_lines, write_multihead, write_spert, write_types,
};
pub use encode::{EncodedRelation, EncodedSentence, MAX_CHARACTERS, Unrepresentable, Vocabularies};
pub use error::{DataError, Location, UnusedFile};
pub use id::Id;
pub use input::{Input, InputFormat, InputOptions, InputRecord};
pub use labels::{LabelSet, Schema};
pub use long_tokens::LongTokens;
pub use near_duplicates::NearDuplicates;
#[cfg(feature = "parquet")]
pub use parquet::write_parquet;
pub use partition::{Partition, partition};
pub use plain_message::plain_types;
pub use reasons::{Reason, Reasons};
pub use recognition::{Recognized, recognize};
pub use sentence::{Entity, Relation, Sentence, Token};
pub use statistics::{Lengths, Statistics, TypeCount};
pub use tokenize::{
    RawSentence, TokenizerAgreement, TokenizerConfig, WordRules, is_unsegmented, running_text, sentences_from_text,
    split_sentences, token_spans, tokenize,
};
pub use vectors::{VectorReader, VectorReport};
pub use vocabulary::{PADDING, UNKNOWN, Vocabulary};
