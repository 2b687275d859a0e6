//! Experiments: many runs from one file, each done once, and what they add up to.
//!
//! ```text
//! experiment file -> Plan -> runs/ID/{run.json, dev.jsonl, test.jsonl} -> results.json -> report
//! ```
//!
//! An [`Experiment`] names systems, corpora, protocols and seeds. A [`Plan`] makes its runs, whose folders are named by
//! what decides the result: equal runs are trained once, even if two experiments that share a folder of runs want them.
//! [`Plan::run`] carries it out and may be killed at any time: finished runs are kept, the one that was broken off goes
//! on from its last checkpoint. [`Results`] are the sum, and with the predictions all that
//! [`write_report`] reads.

pub mod analysis;

mod compare;
mod corpus;
mod error;
mod file;
mod machine;
mod plan;
mod predictions;
mod report;
mod results;
mod run;
mod runner;
mod storage;
mod summary;

pub use cman_train::Protocol;
pub use corpus::{CorpusSource, DataFile};
pub use error::ExperimentError;
pub use file::{Average, Experiment, Published, System};
pub use machine::Machine;
pub use plan::{CorpusFiles, Plan, PlanOptions, RunSpec};
pub use predictions::{Annotation, PredictedSentence, read_predictions};
pub use report::write_report;
pub use results::{Comparison, Results, RunResult};
pub use run::{Headline, Outcome, Point};
pub use runner::{ExperimentObserver, RunOptions};
pub use summary::{GroupSummary, Moments, Pair, Row, SectionSummary, Summary, TaskSummary};
