//! What `/metrics` says.

use std::{fs, sync::Arc, time::Duration};

use cman_model::Document;
use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Bounds of times in seconds.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Bounds of numbers of texts.
const TEXTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// Bounds of numbers of tokens.
const TOKENS: [f64; 10] = [16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 16384.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRoute {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfTime {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfModel {
    model: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfLine {
    result: &'static str,
}

/// The counts of a service. Clones share them.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<OfRoute, Counter>,
    seconds: Family<OfTime, Histogram, fn() -> Histogram>,
    in_progress: Gauge,
    queue: Gauge,
    waits: Histogram,
    batch_texts: Histogram,
    batch_tokens: Histogram,
    batch_seconds: Histogram,
    texts: Family<OfModel, Counter>,
    tokens: Family<OfModel, Counter>,
    in_windows: Counter,
    lines: Family<OfLine, Counter>,
    skipped: Counter,
    panics: Counter,
    memory: Gauge,
}

impl Metrics {
    pub fn new() -> Self {
        let seconds: Family<OfTime, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        let mut inner = Inner {
            requests: Family::default(),
            seconds,
            in_progress: Gauge::default(),
            queue: Gauge::default(),
            waits: Histogram::new(SECONDS),
            batch_texts: Histogram::new(TEXTS),
            batch_tokens: Histogram::new(TOKENS),
            batch_seconds: Histogram::new(SECONDS),
            texts: Family::default(),
            tokens: Family::default(),
            in_windows: Counter::default(),
            lines: Family::default(),
            skipped: Counter::default(),
            panics: Counter::default(),
            memory: Gauge::default(),
            registry: Registry::with_prefix("cman"),
        };
        let r = &mut inner.registry;
        r.register("requests", "Answered requests", inner.requests.clone());
        let help = "Time from the head of a request to the head of its answer";
        r.register_with_unit("request", help, Unit::Seconds, inner.seconds.clone());
        r.register("requests_in_progress", "Requests that are being answered", inner.in_progress.clone());
        r.register("queue_texts", "Texts that wait", inner.queue.clone());
        r.register_with_unit("queue_wait", "Time that a text waited", Unit::Seconds, inner.waits.clone());
        r.register("batch_texts", "Texts per batch", inner.batch_texts.clone());
        r.register("batch_tokens", "Tokens per batch", inner.batch_tokens.clone());
        r.register_with_unit("batch", "Time of a batch", Unit::Seconds, inner.batch_seconds.clone());
        r.register("texts", "Texts that were read", inner.texts.clone());
        r.register("tokens", "Tokens that were read", inner.tokens.clone());
        r.register("sentences_in_windows", "Sentences too long to be read as a whole", inner.in_windows.clone());
        r.register("stream_lines", "Lines of streams by their result", inner.lines.clone());
        r.register("skipped_texts", "Texts whose client had gone before they were read", inner.skipped.clone());
        r.register("panics", "Panics of the model", inner.panics.clone());
        let help = "Resident memory of the process, where the system tells it";
        r.register_with_unit("resident_memory", help, Unit::Bytes, inner.memory.clone());
        Self(Arc::new(inner))
    }

    /// A request begins. It ends when the result is dropped.
    pub fn begin(&self) -> InProgress {
        self.0.in_progress.inc();
        InProgress(self.0.in_progress.clone())
    }

    pub fn request(&self, route: &str, status: u16, time: Duration) {
        self.0.requests.get_or_create(&OfRoute { route: route.into(), status }).inc();
        self.0.seconds.get_or_create(&OfTime { route: route.into() }).observe(time.as_secs_f64());
    }

    pub fn batch(&self, texts: usize, tokens: usize, time: Duration) {
        self.0.batch_texts.observe(texts as f64);
        self.0.batch_tokens.observe(tokens as f64);
        self.0.batch_seconds.observe(time.as_secs_f64());
    }

    pub fn waited(&self, time: Duration) {
        self.0.waits.observe(time.as_secs_f64());
    }

    pub fn text(&self, model: &str, document: &Document, tokens: usize) {
        let model = OfModel { model: model.into() };
        self.0.texts.get_or_create(&model).inc();
        self.0.tokens.get_or_create(&model).inc_by(tokens as u64);
        let in_windows = document.sentences.iter().filter(|sentence| sentence.windows > 1).count();
        self.0.in_windows.inc_by(in_windows as u64);
    }

    pub fn line(&self, is_read: bool) {
        let result = if is_read { "document" } else { "error" };
        self.0.lines.get_or_create(&OfLine { result }).inc();
    }

    pub fn skipped(&self, texts: usize) {
        self.0.skipped.inc_by(texts as u64);
    }

    pub fn panicked(&self) {
        self.0.panics.inc();
    }

    /// The metrics in Prometheus's text format, and its content type.
    pub fn text_format(&self, queue: usize) -> (&'static str, String) {
        self.0.queue.set(i64::try_from(queue).unwrap_or(i64::MAX));
        self.0.memory.set(resident_bytes().unwrap_or(0));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_text::encode(&mut text, &self.0.registry);
        (prometheus_text::CONTENT_TYPE, text)
    }
}

/// A request that is being answered.
pub(crate) struct InProgress(Gauge);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Resident memory, from Linux's `/proc`.
fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<i64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_in_the_text_format() {
        let metrics = Metrics::new();
        metrics.request("/extract", 200, Duration::from_millis(3));
        metrics.batch(5, 100, Duration::from_millis(2));
        metrics.line(false);
        let _open = metrics.begin();
        let (_, text) = metrics.text_format(7);
        for line in [
            "cman_requests_total{route=\"/extract\",status=\"200\"} 1",
            "cman_request_seconds_bucket{route=\"/extract\",le=\"0.005\"} 1",
            "cman_requests_in_progress 1",
            "cman_queue_texts 7",
            "cman_batch_texts_bucket{le=\"8\"} 1",
            "cman_batch_tokens_sum 100.0",
            "cman_stream_lines_total{result=\"error\"} 1",
            "cman_panics_total 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }
}
