//! A service: its thread, its routes and its connections.

use std::{future::Future, sync::Arc, thread::JoinHandle};

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
    openapi,
    queue::Queue,
    route,
    settings::Settings,
    shared::{Shared, State},
};

/// A service with its models. [`serve`](Self::serve) answers requests.
pub struct Service {
    shared: Shared,
    worker: JoinHandle<()>,
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
        let state = State { models, settings, metrics, queue, requests, stopping };
        Ok(Self { shared: Shared::new(state), worker })
    }

    /// The routes, for a server of your own. It has to limit the time in which the head of a request arrives.
    pub fn router(&self) -> Router {
        route::router(&self.shared, openapi::openapi())
    }

    /// Answers the requests that arrive at a listener, until `stop` is ready. Requests that were accepted before are then
    /// answered within [`Settings::grace`], and no other is accepted.
    ///
    /// # Errors
    /// A listener that cannot be used.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<Stopped, ServeError> {
        let router = self.router();
        Ok(connections::serve(router, &self.shared, self.worker, listener, stop).await)
    }
}
