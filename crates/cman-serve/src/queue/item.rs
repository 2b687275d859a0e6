//! What is sent to the thread.

use std::{sync::Arc, time::Instant};

use cman_model::{Document, ExtractOptions, TokenizedText};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::batch::Waiting;
use crate::problem::Problem;

/// A request whose texts can be read.
pub(crate) struct Prepared {
    pub model: usize,
    pub options: Arc<ExtractOptions>,
    pub texts: Vec<TokenizedText>,
}

impl Prepared {
    pub fn tokens(&self) -> usize {
        self.texts.iter().map(TokenizedText::tokens).sum()
    }
}

/// The answer for one text.
pub(crate) type Answer = oneshot::Receiver<Result<Document, Problem>>;

/// A text that waits.
pub(super) struct Item {
    pub model: usize,
    pub options: Arc<ExtractOptions>,
    pub text: TokenizedText,
    pub tokens: usize,
    pub answer: oneshot::Sender<Result<Document, Problem>>,
    pub since: Instant,
    /// Its place in the queue, until it is taken out.
    pub place: Option<OwnedSemaphorePermit>,
}

impl Waiting for Item {
    fn is_gone(&self) -> bool {
        self.answer.is_closed()
    }

    fn tokens(&self) -> usize {
        self.tokens
    }

    fn joins(&self, first: &Self) -> bool {
        self.model == first.model && (Arc::ptr_eq(&self.options, &first.options) || self.options == first.options)
    }
}

pub(super) enum Command {
    Read(Vec<Item>),
    /// Read what was sent before, then end.
    Stop,
}
