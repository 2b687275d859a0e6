//! Experiments: many runs from one file, their results, and a report.
//!
//! ```text
//! experiment file -> Plan -> runs/ID/{run.json, dev.jsonl, test.jsonl} -> results.json -> report
//!                              |
//!                              +-> Archive (runs.jsonl)
//! ```
//!
//! An [`Experiment`] names systems, corpora, protocols and seeds. A [`Plan`] expands it to runs. The id of a run is a
//! hash of everything that determines its result, so equal runs are trained once, even if two experiments share a folder
//! of runs, at the same time or one after the other. [`Plan::run`] can be killed at any time: with
//! [`RunOptions::resume`] it reuses finished runs and resumes the interrupted runs from their last checkpoints.
//! [`Results`] summarise the runs, and [`write_report`] reads them and the predictions. An [`Archive`] keeps the
//! outcomes of many runs in one small file.

pub mod analysis;

mod archive;
mod claim;
mod compare;
mod corpus;
mod error;
mod experiment;
mod jobs;
mod machine;
mod observer;
mod outcome;
mod plan;
mod predictions;
mod report;
mod results;
mod run;
mod runner;
mod storage;
mod store;
mod summary;

pub use archive::Archive;
pub use cman_train::Protocol;
pub use corpus::{CorpusSource, DataFile};
pub use error::ExperimentError;
pub use experiment::{Average, Experiment, Published, System};
pub use machine::Machine;
pub use observer::ExperimentObserver;
pub use outcome::{Headline, Outcome, Point, RunResult};
pub use plan::{CorpusFiles, Plan, PlanOptions, RunSpec};
pub use predictions::{Annotation, PredictedSentence, read_predictions};
pub use report::write_report;
pub use results::{Comparison, Results};
pub use runner::RunOptions;
pub use store::RunStore;
pub use summary::{GroupSummary, Moments, Pair, Row, SectionSummary, Summary, TaskSummary};
