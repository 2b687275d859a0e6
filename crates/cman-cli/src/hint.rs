//! Hints: how to resolve an error.

use std::{error::Error as StdError, fmt};

use burn_ragged::{DeviceError, DeviceKind};
use cman_data::DataError;
#[cfg(feature = "hub")]
use cman_encoder::HubError;
use cman_experiment::ExperimentError;
use cman_model::ModelError;
use cman_train::TrainError;

/// The hint for a run that was interrupted.
pub const RESUME: &str = "the same command with `--resume` continues the run";
/// The hint for a checkpoint or a model of another run.
pub const OTHER_RUN: &str = "`--force` starts a new run, and another `--out` leaves this one as it is";
/// The hint for a folder without corpus files.
pub const CORPUS_FILES: &str = "corpus files are .json, .jsonl, .txt, .conll or .parquet files with `train`, `dev`, `val` or `test` in \
     their names, such as conll04_train.json; `--train FILE` names a file";

/// An error with a hint.
#[derive(Debug)]
struct Hint {
    error: anyhow::Error,
    text: String,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for Hint {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.error.as_ref())
    }
}

/// Adds a hint to an error.
pub fn hinted(error: impl Into<anyhow::Error>, text: impl Into<String>) -> anyhow::Error {
    Hint { error: error.into(), text: text.into() }.into()
}

/// Adds the hint for a corpus that cannot be read. `types` is the hint for a type that is not allowed, `skip` the
/// option that skips invalid sentences.
pub fn hinted_corpus(error: DataError, types: Option<&str>, skip: Option<&str>) -> anyhow::Error {
    match of_data(&error, types, skip) {
        Some(text) => hinted(error, text),
        None => error.into(),
    }
}

/// The hint for an error: the one added to it, or the one for an error of the libraries.
pub fn find(error: &anyhow::Error) -> Option<String> {
    let added = error.chain().find_map(|cause| cause.downcast_ref::<Hint>());
    added.map(|hint| hint.text.clone()).or_else(|| error.chain().find_map(of_library))
}

/// The hint for a device that is not the name of a backend.
pub fn devices() -> String {
    let names: Vec<&str> = DeviceKind::compiled().into_iter().map(DeviceKind::name).collect();
    format!("this build has {}; other devices need a build with `--features NAME`", names.join(", "))
}

fn of_library(cause: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(DeviceError::NotCompiled { kind }) = cause.downcast_ref() {
        return Some(format!("`cargo install --path crates/cman-cli --features {kind}` builds it in"));
    }
    match train_error(cause) {
        Some(TrainError::NoTypes) => {
            return Some("`--types FILE` lists the types; by default they are those of the training data".into());
        }
        Some(TrainError::OtherRun { .. }) => return Some(OTHER_RUN.into()),
        Some(TrainError::Locked { .. }) => {
            return Some("the lock is released when that process ends; another `--out` can be written now".into());
        }
        _ => {}
    }
    match model_error(cause) {
        Some(ModelError::NoHub { .. }) => {
            Some("`cargo install --path crates/cman-cli --features hub` builds in the download of encoders".into())
        }
        #[cfg(feature = "hub")]
        Some(ModelError::Hub(HubError::Unavailable { .. })) => {
            Some("give the folder of the encoder, or set `HF_HOME` to a cache that contains it".into())
        }
        Some(ModelError::ModelEncoder { .. }) => Some("`--encoder DIR` gives the folder of the encoder".into()),
        Some(ModelError::Memory { sentence_fits: true, .. }) => {
            Some("`--set train.batch_tokens=N` makes the batches of long sentences smaller; `--max-memory` changes the limit".into())
        }
        Some(ModelError::Memory { .. }) => {
            Some("split the sentence into shorter ones; `--max-memory` changes the limit".into())
        }
        _ => of_data(data_error(cause)?, None, None),
    }
}

fn of_data(error: &DataError, types: Option<&str>, skip: Option<&str>) -> Option<String> {
    let is_type = error.field().is_some_and(|field| field.ends_with(".type"))
        && error.expected().is_some_and(|expected| expected.starts_with("one of the types"));
    match error {
        DataError::NoCorpus { .. } => Some(CORPUS_FILES.into()),
        DataError::Ambiguous { .. } => Some("`--train`, `--dev` and `--test` name the files".into()),
        DataError::Foreign { hint, .. } => hint.clone(),
        DataError::Invalid { .. } if is_type => types.map(str::to_owned),
        DataError::Invalid { .. } | DataError::Json { .. } | DataError::TooLarge { .. } | DataError::NotUtf8 { .. } => {
            let (path, _) = error.path().zip(error.record())?;
            let skip = skip.map_or_else(String::new, |option| format!("; `{option}` skips them"));
            Some(format!("`cman inspect {}` lists all invalid sentences{skip}", path.display()))
        }
        _ => None,
    }
}

fn train_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a TrainError> {
    match cause.downcast_ref() {
        Some(ExperimentError::Train(error)) => Some(error),
        _ => cause.downcast_ref(),
    }
}

fn model_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a ModelError> {
    match (train_error(cause), cause.downcast_ref()) {
        (Some(TrainError::Model(error)), _) | (_, Some(ExperimentError::Model(error))) => Some(error),
        _ => cause.downcast_ref(),
    }
}

fn data_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a DataError> {
    match (train_error(cause), model_error(cause), cause.downcast_ref()) {
        (Some(TrainError::Data(error)), ..)
        | (_, Some(ModelError::Data(error)), _)
        | (.., Some(ExperimentError::Data(error))) => Some(error),
        _ => cause.downcast_ref(),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn an_added_hint_is_found_below_context() {
        let error = hinted(anyhow!("no"), "yes").context("outer");
        assert_eq!(find(&error).as_deref(), Some("yes"));
        assert_eq!(find(&anyhow!("no")), None);
    }

    #[test]
    fn library_errors_have_hints_at_any_depth() {
        let no_corpus = || DataError::NoCorpus { path: "a".into(), expected: "", unused: Vec::new() };
        let errors: [anyhow::Error; 4] = [
            no_corpus().into(),
            ModelError::Data(no_corpus()).into(),
            TrainError::Model(ModelError::Data(no_corpus())).into(),
            ExperimentError::Train(TrainError::Data(no_corpus())).into(),
        ];
        for error in errors {
            assert_eq!(find(&error).as_deref(), Some(CORPUS_FILES), "{error:?}");
        }
        let error = Err::<(), _>(TrainError::NoTypes).context("outer").unwrap_err();
        assert!(find(&error).unwrap().contains("`--types FILE`"));
    }
}
