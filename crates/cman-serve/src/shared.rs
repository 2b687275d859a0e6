//! What all requests share.

use std::{ops::Deref, sync::Arc};

use tokio::sync::{Semaphore, watch};

use crate::{metrics::Metrics, models::Models, queue::Queue, settings::Settings};

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<State>);

impl Shared {
    pub fn new(state: State) -> Self {
        Self(Arc::new(state))
    }
}

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
