//! A service: its state and its routes.

use std::{future::Future, ops::Deref, sync::Arc, thread::JoinHandle};

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

use crate::{
    connections::{self, Stopped},
    error::ServeError,
    metrics::Metrics,
    models::Models,
    queue::Queue,
    route,
    settings::Settings,
};

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<State>);

pub(crate) struct State {
    pub models: Models,
    pub settings: Settings,
    pub metrics: Metrics,
    pub queue: Queue,
    /// Places of requests for extraction.
    pub requests: Arc<Semaphore>,
    /// Becomes true when the service stops.
    pub stopping: watch::Sender<bool>,
}

impl Deref for Shared {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl State {
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// A service with its models. [`serve`](Self::serve) answers requests.
pub struct Service {
    pub(crate) shared: Shared,
    pub(crate) worker: JoinHandle<()>,
}

impl Service {
    /// Starts the thread that runs the models.
    ///
    /// # Errors
    /// A setting that is out of range; threads that cannot be started.
    pub fn new(models: Models, settings: Settings) -> Result<Self, ServeError> {
        settings.check()?;
        let metrics = Metrics::new();
        let (queue, worker) = Queue::start(models.clone(), &settings, metrics.clone())?;
        let requests = Arc::new(Semaphore::new(settings.max_concurrent_requests.min(Semaphore::MAX_PERMITS)));
        let stopping = watch::Sender::new(false);
        Ok(Self { shared: Shared(Arc::new(State { models, settings, metrics, queue, requests, stopping })), worker })
    }

    /// The routes, for a server of your own. It has to limit the time in which the head of a request arrives.
    pub fn router(&self) -> Router {
        route::router(&self.shared)
    }

    /// Answers the requests that arrive at a listener, until `stop` is ready. Requests that were accepted before are then
    /// answered within [`Settings::grace`], and no other is accepted.
    ///
    /// # Errors
    /// A listener that cannot be used.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<Stopped, ServeError> {
        Ok(connections::serve(self, listener, stop).await)
    }
}
