//! Reading, the model and writing at the same time.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Instant,
};

use anyhow::Result;
use cman_data::InputFormat;
use cman_model::{Document, Extractor, TokenizedText};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::{
    files::InputFile,
    job::Manifest,
    part::Parts,
    part_args::PartArgs,
    records::{Records, Window},
};

/// Number of windows that wait for the model, and for the writer.
const QUEUE: usize = 2;

/// What the writer gets: the records of a window, and what is found in its texts.
type Found = (Window, Vec<Document>);

/// An extraction from files to parts.
pub struct Pipeline<'a> {
    pub extractor: &'a Extractor,
    pub files: &'a [InputFile],
    pub format: Option<InputFormat>,
    pub out: &'a Path,
    pub parts: &'a PartArgs,
}

impl Pipeline<'_> {
    /// Extracts what the manifest does not have yet.
    pub fn run(&self, manifest: &mut Manifest) -> Result<()> {
        let read = Arc::new(AtomicU64::new(0));
        let position = manifest.end();
        let already: u64 = self.files[..position.files].iter().map(|file| file.bytes).sum();
        read.store(already, Ordering::Relaxed);
        let records = Records::after(position, self.files, self.format, self.extractor, Arc::clone(&read));
        let parts = Parts::new(self.out, self.parts, manifest);
        thread::scope(|scope| {
            let (to_model, windows) = sync_channel(QUEUE);
            let (to_writer, found) = sync_channel(QUEUE);
            scope.spawn(|| self.read(records, to_model));
            let writer = scope.spawn(|| write(parts, found));
            // The model runs here: this thread is one of those that compute.
            let computed = self.compute(windows, &to_writer, &read);
            // The writer ends when nothing more can come.
            drop(to_writer);
            let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // If the writer failed, the model stopped because of it.
            written.and(computed)
        })
    }

    /// Reads windows until the files end or nobody takes them. No window has records of two parts.
    fn read(&self, mut records: Records, windows: SyncSender<Window>) {
        let mut left = self.parts.part_records;
        loop {
            let window = records.window(left);
            left -= window.records;
            if left == 0 {
                left = self.parts.part_records;
            }
            let is_last = window.is_last;
            if windows.send(window).is_err() || is_last {
                return;
            }
        }
    }

    fn compute(&self, windows: Receiver<Window>, found: &SyncSender<Found>, read: &AtomicU64) -> Result<()> {
        let bar = ProgressBar::new(self.files.iter().map(|file| file.bytes).sum());
        let style = "{wide_bar} {percent}% of the input, {msg}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("a template of indicatif's"));
        bar.set_position(read.load(Ordering::Relaxed));
        bar.reset_eta();
        let (start, mut records) = (Instant::now(), 0);
        for window in windows {
            records += window.records;
            let texts: Vec<&TokenizedText> = window.texts.iter().map(|(_, text)| text).collect();
            let documents = self.extractor.extract_tokenized(&texts)?;
            if found.send((window, documents)).is_err() {
                break;
            }
            let rate = records as f64 / start.elapsed().as_secs_f64();
            bar.set_message(format!("{} records, {rate:.0} records/s", HumanCount(records)));
            bar.set_position(read.load(Ordering::Relaxed));
        }
        bar.finish_and_clear();
        Ok(())
    }
}

fn write(mut parts: Parts, found: Receiver<Found>) -> Result<()> {
    for (window, documents) in found {
        parts.add(window, documents)?;
    }
    Ok(())
}
