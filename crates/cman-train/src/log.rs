//! The log of a run: one row per epoch, as CSV and as JSON lines.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{error::TrainError, observer::EpochReport};

/// Writes `log.csv` and `log.jsonl` into a folder. Every epoch is flushed.
pub struct EpochLog {
    csv: File,
    csv_path: PathBuf,
    jsonl: File,
    jsonl_path: PathBuf,
}

impl EpochLog {
    /// Creates both files, replacing existing ones.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(folder: &Path) -> Result<Self, TrainError> {
        fs::create_dir_all(folder).map_err(|source| TrainError::io(folder, source))?;
        let (csv_path, jsonl_path) = (folder.join("log.csv"), folder.join("log.jsonl"));
        let create = |path: &PathBuf| File::create(path).map_err(|source| TrainError::io(path, source));
        let mut log = Self { csv: create(&csv_path)?, jsonl: create(&jsonl_path)?, csv_path, jsonl_path };
        log.row(&["epoch", "ner_loss", "re_loss", "learning_rate", "dev_ner_f1", "dev_re_f1", "best", "seconds"])?;
        Ok(log)
    }

    /// Appends an epoch.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        let f1 = |pick: fn(&cman_score::Scores) -> f64| {
            report.dev.as_ref().map_or_else(String::new, |dev| format!("{:.6}", pick(dev)))
        };
        self.row(&[
            &report.epoch.to_string(),
            &format!("{:.6}", report.ner_loss),
            &format!("{:.6}", report.re_loss),
            &format!("{:e}", report.learning_rate),
            &f1(|dev| dev.entities.strict.micro.f1),
            &f1(|dev| dev.relations.strict.micro.f1),
            &report.best.to_string(),
            &format!("{:.1}", report.train_seconds + report.dev_seconds),
        ])?;
        let fail = |source| TrainError::io(&self.jsonl_path, source);
        let mut line = serde_json::to_vec(report).map_err(|error| fail(error.into()))?;
        line.push(b'\n');
        self.jsonl.write_all(&line).map_err(fail)
    }

    /// Continues both files after the first `epochs` epochs. Later rows are removed: an interrupted run wrote them
    /// after its last checkpoint.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub fn resume(folder: &Path, epochs: usize) -> Result<Self, TrainError> {
        let (csv_path, jsonl_path) = (folder.join("log.csv"), folder.join("log.jsonl"));
        let cut = |path: &PathBuf, lines: usize| {
            let text = fs::read_to_string(path)?;
            let kept: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
            let mut file = File::options().append(true).open(path)?;
            file.set_len(kept as u64)?;
            file.flush()?;
            Ok(file)
        };
        let fail = |path: &PathBuf, source| TrainError::io(path, source);
        Ok(Self {
            csv: cut(&csv_path, epochs + 1).map_err(|error| fail(&csv_path, error))?,
            jsonl: cut(&jsonl_path, epochs).map_err(|error| fail(&jsonl_path, error))?,
            csv_path,
            jsonl_path,
        })
    }

    /// Writes a row of CSV. No cell may need quotes.
    fn row(&mut self, cells: &[&str]) -> Result<(), TrainError> {
        let row = cells.join(",") + "\n";
        self.csv.write_all(row.as_bytes()).map_err(|source| TrainError::io(&self.csv_path, source))
    }
}
