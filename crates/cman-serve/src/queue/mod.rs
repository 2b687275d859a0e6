//! The queue of texts, and the thread that reads them.
//!
//! Requests send their texts to the thread and receive a document for each. The thread forms a batch of the texts that
//! wait for the same model with the same options. It never waits for more: the next batch forms while it computes.

mod batch;
mod item;
mod worker;

use std::{
    sync::{Arc, Weak, mpsc},
    thread::JoinHandle,
    time::Instant,
};

use cman_model::Document;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

pub(crate) use item::{Answer, Prepared};

use crate::{error::ServeError, metrics::Metrics, models::Models, problem::Problem, settings::Settings};
use item::{Command, Item};

/// The end of the queue to which requests send their texts.
#[derive(Clone)]
pub(crate) struct Queue {
    commands: mpsc::Sender<Command>,
    places: Arc<Semaphore>,
    size: usize,
    /// Held by the thread.
    life: Weak<()>,
}

impl Queue {
    /// Starts the thread.
    pub fn start(models: Models, settings: &Settings, metrics: Metrics) -> Result<(Self, JoinHandle<()>), ServeError> {
        let (commands, receiver) = mpsc::channel();
        let held = Arc::new(());
        let life = Arc::downgrade(&held);
        let thread = worker::start(models, settings, metrics, (receiver, held))?;
        let size = settings.max_queue.min(Semaphore::MAX_PERMITS);
        Ok((Self { commands, places: Arc::new(Semaphore::new(size)), size, life }, thread))
    }

    /// Number of texts that wait.
    pub fn len(&self) -> usize {
        self.size - self.places.available_permits()
    }

    /// Whether the thread lives.
    pub fn is_alive(&self) -> bool {
        self.life.strong_count() > 0
    }

    /// Sends the texts of a request.
    ///
    /// # Errors
    /// If there is no room for all, or the thread has ended.
    pub fn send(&self, request: Prepared) -> Result<Vec<Answer>, Problem> {
        let count = u32::try_from(request.texts.len()).map_err(|_| Problem::queue_full())?;
        let places = Arc::clone(&self.places).try_acquire_many_owned(count).map_err(|_| Problem::queue_full())?;
        self.send_with(request, places)
    }

    /// Sends the texts of a request as soon as there is room.
    ///
    /// # Errors
    /// If the thread has ended.
    pub async fn send_patiently(&self, request: Prepared) -> Result<Vec<Answer>, Problem> {
        let count = u32::try_from(request.texts.len()).map_err(|_| Problem::queue_full())?;
        let places = Arc::clone(&self.places).acquire_many_owned(count).await.map_err(|_| Problem::no_worker())?;
        self.send_with(request, places)
    }

    fn send_with(&self, request: Prepared, mut places: OwnedSemaphorePermit) -> Result<Vec<Answer>, Problem> {
        let Prepared { model, options, texts } = request;
        let since = Instant::now();
        let (mut items, mut answers) = (Vec::new(), Vec::new());
        for text in texts {
            let (answer, receiver) = oneshot::channel();
            let place = places.split(1);
            let (tokens, options) = (text.tokens(), Arc::clone(&options));
            items.push(Item { model, options, text, tokens, answer, since, place });
            answers.push(receiver);
        }
        self.commands.send(Command::Read(items)).map_err(|_| Problem::no_worker())?;
        Ok(answers)
    }

    /// Tells the thread to end when it has read all texts that were sent before.
    pub fn stop(&self) {
        // A thread that has ended needs no command.
        let _ = self.commands.send(Command::Stop);
    }
}

/// All documents of a request.
///
/// # Errors
/// That of the first text that has one.
pub(crate) async fn documents(answers: Vec<Answer>) -> Result<Vec<Document>, Problem> {
    let mut documents = Vec::with_capacity(answers.len());
    for answer in answers {
        documents.push(answer.await.unwrap_or_else(|_| Err(Problem::no_worker()))?);
    }
    Ok(documents)
}
