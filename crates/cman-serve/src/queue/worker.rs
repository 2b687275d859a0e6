//! The thread that owns the models.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use cman_model::{Document, ModelError, TokenizedText};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{
    batch::{self, Budget},
    item::{Command, Item},
};
use crate::{error::ServeError, metrics::Metrics, models::Models, problem::Problem, settings::Settings};

struct Worker {
    models: Models,
    metrics: Metrics,
    budget: Budget,
    commands: Receiver<Command>,
    /// This thread is part of it, so that all of its threads compute.
    pool: ThreadPool,
}

/// Starts the thread.
pub(super) fn start(
    models: Models,
    settings: &Settings,
    metrics: Metrics,
    (commands, life): (Receiver<Command>, Arc<()>),
) -> Result<JoinHandle<()>, ServeError> {
    let fail = |reason: String| ServeError::Threads { reason };
    let budget = Budget { tokens: settings.max_batch_tokens, texts: settings.max_batch_texts };
    let threads = settings.threads;
    let (ready, is_ready) = mpsc::channel();
    let run = move || {
        let pool = ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build();
        match pool {
            Ok(pool) => {
                let _ = ready.send(Ok(()));
                Worker { models, metrics, budget, commands, pool }.run();
                drop(life);
            }
            Err(error) => _ = ready.send(Err(error.to_string())),
        }
    };
    let thread = thread::Builder::new().name("model".into()).spawn(run).map_err(|error| fail(error.to_string()))?;
    is_ready.recv().unwrap_or_else(|_| Err("the thread ended".into())).map_err(fail)?;
    Ok(thread)
}

impl Worker {
    fn run(self) {
        let mut waiting = VecDeque::new();
        let mut is_open = true;
        while is_open || !waiting.is_empty() {
            let mut next = if waiting.is_empty() { self.commands.recv().ok() } else { self.commands.try_recv().ok() };
            is_open &= next.is_some() || !waiting.is_empty();
            while let Some(command) = next {
                match command {
                    Command::Read(items) => waiting.extend(items),
                    Command::Stop => is_open = false,
                }
                next = self.commands.try_recv().ok();
            }
            let mut gone = 0;
            let mut batch = batch::take(&mut waiting, self.budget, &mut gone);
            batch.iter_mut().for_each(|item| item.place = None);
            self.metrics.skipped(gone);
            if !batch.is_empty() {
                self.read(batch);
            }
        }
    }

    /// Reads a batch and answers. If it cannot be read as a whole, each of its texts is read alone, so that one text
    /// cannot fail the requests of others.
    fn read(&self, batch: Vec<Item>) {
        let start = Instant::now();
        let tokens = batch.iter().map(|item| item.tokens).sum();
        match self.documents(&batch) {
            Ok(documents) => {
                self.metrics.batch(batch.len(), tokens, start.elapsed());
                for (item, document) in batch.into_iter().zip(documents) {
                    self.metrics.waited(start - item.since);
                    self.metrics.text(self.models.name(item.model), &document, item.tokens);
                    // A client that has gone needs no answer.
                    let _ = item.answer.send(Ok(document));
                }
            }
            Err(problem) if batch.len() == 1 => {
                batch.into_iter().for_each(|item| _ = item.answer.send(Err(problem.clone())));
            }
            Err(_) => batch.into_iter().for_each(|item| self.read(vec![item])),
        }
    }

    fn documents(&self, batch: &[Item]) -> Result<Vec<Document>, Problem> {
        let texts: Vec<&TokenizedText> = batch.iter().map(|item| &item.text).collect();
        let (engine, options) = (self.models.engine(batch[0].model), &batch[0].options);
        let read = || self.pool.install(|| engine.read(options, &texts));
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(Ok(documents)) if documents.len() == batch.len() => Ok(documents),
            Ok(Ok(_)) => Err(Problem::panic()),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_panic) => {
                self.metrics.panicked();
                tracing::error!(texts = batch.len(), "the model panicked; the service goes on");
                Err(Problem::panic())
            }
        }
    }

    fn failed(&self, error: &ModelError) -> Problem {
        let problem = Problem::failed(error);
        // The message of the error may quote the text.
        tracing::error!(status = problem.status().as_u16(), "the model refused a batch");
        problem
    }
}
