//! What a service accepts, and how it forms batches.

use std::time::Duration;

use crate::{error::ServeError, key::ApiKey};

/// Limits, batches and times of a service.
///
/// ```
/// use cman_serve::Settings;
///
/// let settings = Settings { max_texts: 8, ..Settings::default() };
/// assert!(settings.check().is_ok());
/// let settings = Settings { max_queue: 0, ..settings };
/// assert_eq!(settings.check().unwrap_err().to_string(), "max_queue: expected at least 8, the value of max_texts, found 0");
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Most tokens per batch. A single text above it is a batch of its own.
    pub max_batch_tokens: usize,
    /// Most texts per batch.
    pub max_batch_texts: usize,
    /// Most texts that wait. A request that finds no room is refused with status 503.
    pub max_queue: usize,
    /// Most requests for extraction at a time. The next one is refused with status 429.
    pub max_concurrent_requests: usize,
    /// Most connections at a time. The next ones wait to be accepted.
    pub max_connections: usize,
    /// Largest body of a request, and longest line of a stream, in bytes.
    pub max_body: usize,
    /// Most texts per request.
    pub max_texts: usize,
    /// Longest text, in characters.
    pub max_text_chars: usize,
    /// The largest `max_tokens` that a request may ask for: the longest sentence that is read as a whole. Memory grows
    /// with its square.
    pub max_sentence_tokens: usize,
    /// Most lines of a stream that are read ahead of the answers.
    pub stream_window: usize,
    /// How long a request may take, from its first byte to its answer; in a stream, each line.
    pub request_timeout: Duration,
    /// How long the head of a request may take to arrive, and how long a connection may be idle.
    pub header_timeout: Duration,
    /// The longest pause in which a client neither sends nor reads what it has to.
    pub client_timeout: Duration,
    /// How long accepted requests may take after the service was told to stop.
    pub grace: Duration,
    /// Threads of the model on a CPU; 0: one per core.
    pub threads: usize,
    /// The key that clients have to send, if any.
    pub api_key: Option<ApiKey>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_batch_tokens: 4096,
            max_batch_texts: 256,
            max_queue: 1024,
            max_concurrent_requests: 512,
            max_connections: 1024,
            max_body: 2_000_000,
            max_texts: 64,
            max_text_chars: 100_000,
            max_sentence_tokens: 512,
            stream_window: 32,
            request_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_secs(10),
            client_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(30),
            threads: 0,
            api_key: None,
        }
    }
}

impl Settings {
    /// Checks the values.
    ///
    /// # Errors
    /// [`ServeError::Setting`] for a value out of range.
    pub fn check(&self) -> Result<(), ServeError> {
        let texts = format!("at least {}, the value of max_texts", self.max_texts);
        let least = |n: usize| (n, format!("at least {n}"));
        for (field, found, (least, expected)) in [
            ("max_batch_tokens", self.max_batch_tokens, least(1)),
            ("max_batch_texts", self.max_batch_texts, least(1)),
            ("max_texts", self.max_texts, least(1)),
            ("max_queue", self.max_queue, (self.max_texts, texts)),
            ("max_concurrent_requests", self.max_concurrent_requests, least(1)),
            ("max_connections", self.max_connections, least(1)),
            ("max_body", self.max_body, least(1)),
            ("max_text_chars", self.max_text_chars, least(1)),
            ("max_sentence_tokens", self.max_sentence_tokens, least(1)),
            ("stream_window", self.stream_window, least(1)),
        ] {
            if found < least {
                return Err(ServeError::Setting { field, expected, found: found.to_string() });
            }
        }
        for (field, time) in [
            ("request_timeout", self.request_timeout),
            ("header_timeout", self.header_timeout),
            ("client_timeout", self.client_timeout),
        ] {
            if time.is_zero() {
                return Err(ServeError::Setting { field, expected: "more than 0 s".into(), found: "0 s".into() });
            }
        }
        Ok(())
    }
}
