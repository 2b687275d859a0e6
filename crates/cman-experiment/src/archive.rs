//! Finished runs in one file, with one line of JSON per run.
//!
//! ```json
//! {"id":"9f6579dd248822a1","config":"seed = 1\n...","outcome":{"curve":[...],...}}
//! ```
//!
//! `config` is the text of the run's `config.toml`, `outcome` the content of its `run.json`. Predictions are left out,
//! because they hold the text of the corpus. Numbers keep the digits that `run.json` has, so an archived outcome and
//! the outcome in the folder are equal to the last bit.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, de::Error};

use crate::{
    error::ExperimentError,
    outcome::Outcome,
    run::{CONFIG, RUN},
    storage,
};

/// Finished runs by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Archive {
    runs: BTreeMap<String, ArchivedRun>,
}

#[derive(Clone, Debug, PartialEq)]
struct ArchivedRun {
    outcome: Outcome,
    /// The line as it is in the file.
    line: String,
}

/// The fields of a line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    id: String,
    #[serde(rename = "config")]
    _config: String,
    outcome: Outcome,
}

impl Archive {
    /// Reads an archive.
    ///
    /// # Errors
    /// A file that cannot be read; a line that is not an archived run, or whose id occurs in an earlier line. The error
    /// names the file and the line.
    pub fn load(path: &Path) -> Result<Self, ExperimentError> {
        let text = fs::read_to_string(path).map_err(|source| ExperimentError::io(path, source))?;
        let mut archive = Self::default();
        for (i, line) in text.lines().enumerate() {
            let fail = |source| ExperimentError::record(path, i + 1, source);
            let Record { id, outcome, .. } = serde_json::from_str(line).map_err(fail)?;
            if archive.runs.contains_key(&id) {
                return Err(fail(serde_json::Error::custom(format!("duplicate run `{id}`"))));
            }
            archive.runs.insert(id, ArchivedRun { outcome, line: line.to_owned() });
        }
        Ok(archive)
    }

    /// Adds the finished runs of a folder of runs. A run in the folder replaces the archived run of the same id. Returns
    /// the number of runs in the folder.
    ///
    /// # Errors
    /// A folder that cannot be read; a finished run without configuration, or with an invalid outcome.
    pub fn add_folder(&mut self, runs: &Path) -> Result<usize, ExperimentError> {
        let mut added = 0;
        for entry in fs::read_dir(runs).map_err(|source| ExperimentError::io(runs, source))? {
            let entry = entry.map_err(|source| ExperimentError::io(runs, source))?;
            let (folder, id) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if folder.join(RUN).is_file() {
                self.runs.insert(id.clone(), ArchivedRun::read(&folder, &id)?);
                added += 1;
            }
        }
        Ok(added)
    }

    /// Writes the archive, sorted by id. An existing file is replaced at once.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ExperimentError> {
        let text: String = self.runs.values().flat_map(|run| [run.line.as_str(), "\n"]).collect();
        storage::replace(path, text.as_bytes())
    }

    /// The outcome of a run.
    pub fn get(&self, id: &str) -> Option<&Outcome> {
        self.runs.get(id).map(|run| &run.outcome)
    }

    /// Number of runs.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there are no runs.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

impl ArchivedRun {
    /// Reads a run's folder.
    fn read(folder: &Path, id: &str) -> Result<Self, ExperimentError> {
        let text = |name| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|source| ExperimentError::io(path, source))
        };
        let (config, json) = (text(CONFIG)?, text(RUN)?);
        let fail = |source: serde_json::Error| ExperimentError::record(folder.join(RUN), source.line(), source);
        let outcome = serde_json::from_str(&json).map_err(fail)?;
        // Strings in JSON hold no line breaks, so joining the lines changes nothing but the layout.
        let json: String = json.lines().map(str::trim).collect();
        let [id, config] = [id, &config].map(serde_json::Value::from);
        Ok(Self { outcome, line: format!(r#"{{"id":{id},"config":{config},"outcome":{json}}}"#) })
    }
}

#[cfg(test)]
mod tests {
    use cman_data::{Schema, Sentence};
    use cman_score::score;

    use cman_train::LeftOut;

    use super::*;
    use crate::{
        analysis::Errors,
        outcome::{Headline, Point},
    };

    fn outcome(epoch: usize) -> Outcome {
        let scores =
            score(&[Sentence::from_tokens("1", ["a"])], &[Sentence::from_tokens("1", ["a"])], &Schema::default());
        let test = scores.unwrap();
        Outcome {
            epoch,
            parameters: 10,
            train_sentences: 3,
            dev_sentences: 0,
            test_sentences: 1,
            left_out: LeftOut::default(),
            leaked_test_sentences: 0,
            dev: None,
            test_without_leaked: Headline::from(&test),
            test,
            test_gold_labels: None,
            distance: Vec::new(),
            length: Vec::new(),
            errors: Errors::default(),
            curve: vec![Point { epoch: 1, loss: 0.1 + 0.2, entities: None, relations: None }],
            seconds: 1.0 / 3.0,
        }
    }

    fn finish(runs: &Path, id: &str, epoch: usize) {
        let folder = runs.join(id);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(CONFIG), "seed = 1\n\n[model]\nhidden = 8\n").unwrap();
        storage::replace_json(&folder.join(RUN), &outcome(epoch)).unwrap();
    }

    #[test]
    fn an_archive_holds_the_finished_runs_of_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (runs, path) = (folder.path().join("runs"), folder.path().join("runs.jsonl"));
        finish(&runs, "b", 1);
        finish(&runs, "a", 2);
        fs::create_dir_all(runs.join("unfinished")).unwrap();
        let mut archive = Archive::default();
        assert_eq!((archive.is_empty(), archive.add_folder(&runs).unwrap(), archive.len()), (true, 2, 2));
        archive.save(&path).unwrap();
        let read = Archive::load(&path).unwrap();
        assert_eq!(read, archive);
        let in_folder: Outcome = storage::read_json(&runs.join("a").join(RUN)).unwrap();
        assert_eq!((read.get("a"), read.get("unfinished")), (Some(&in_folder), None));
        let text = fs::read_to_string(&path).unwrap();
        let ids: Vec<&str> = text.lines().map(|line| &line[..9]).collect();
        assert_eq!(ids, [r#"{"id":"a""#, r#"{"id":"b""#]);
        assert!(text.contains(r#""config":"seed = 1\n\n[model]\nhidden = 8\n""#), "{text}");

        // The folder has one run again and one run less: archived runs stay, a newer outcome replaces the older one.
        fs::remove_dir_all(runs.join("a")).unwrap();
        finish(&runs, "b", 3);
        archive.add_folder(&runs).unwrap();
        assert_eq!(["a", "b"].map(|id| archive.get(id).unwrap().epoch), [2, 3]);
    }

    #[test]
    fn a_damaged_line_is_an_error_with_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let (runs, path) = (folder.path().join("runs"), folder.path().join("runs.jsonl"));
        finish(&runs, "a", 1);
        finish(&runs, "b", 2);
        let mut archive = Archive::default();
        archive.add_folder(&runs).unwrap();
        archive.save(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let second = text.lines().nth(1).unwrap();
        let cases = [
            (text[..text.len() - 20].to_owned(), "line 2: EOF while parsing"),
            (text.replace(r#"{"id":"b""#, r#"{"id":"a""#), "line 2: duplicate run `a`"),
            (text.replace(r#"{"id":"b","#, "{"), "line 2: missing field `id`"),
            (text.replacen(r#""seconds""#, r#""minutes""#, 1), "line 1: missing field `seconds`"),
            (format!("{text}\n{second}\n"), "line 3: EOF while parsing"),
        ];
        for (damaged, expected) in cases {
            fs::write(&path, damaged).unwrap();
            let error = Archive::load(&path).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{}: {expected}", path.display())), "{error:?} for {expected:?}");
        }
    }
}
