//! Models for tests.

use std::{
    sync::{Arc, Condvar, LazyLock, Mutex},
    thread,
    time::{Duration, Instant},
};

use burn_ragged::DeviceKind;
use cman_data::sample;
use cman_model::{Config, Document, ExtractOptions, Extractor, GivenEntity, ModelError, TokenizedText};
use cman_serve::{Engine, ModelInfo};
use cman_train::{Learner, TrainingData};

/// A text in which every trained model finds something.
pub const TEXT: &str = "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan. She works for Nordwind Energie in Köln.";

static EXTRACTOR: LazyLock<Extractor> = LazyLock::new(|| {
    let settings = [
        "model.hidden=16",
        "model.word.width=16",
        "model.character.width=8",
        "model.relation.hidden=16",
        "train.epochs=12",
        "train.learning_rate=0.01",
    ];
    let config = Config::load(None, &settings.map(str::to_owned)).unwrap();
    let sample = sample::corpus().unwrap();
    let data = TrainingData { schema: &sample.schema, train: &sample.train.sentences, dev: &[] };
    let device = DeviceKind::Flex.device().unwrap();
    let model = Learner::new(config, data, None, &device).unwrap().run(&mut ()).unwrap().model;
    let extractor = Extractor::new(model);
    assert!(!extractor.extract_document(TEXT).unwrap().entities.is_empty(), "the model has learned something");
    extractor
});

/// A small model that was trained on the sample corpus.
pub fn extractor() -> Extractor {
    EXTRACTOR.clone()
}

/// The numbers of texts of the batches that were read.
pub type Batches = Arc<Mutex<Vec<usize>>>;

/// Closed until a test opens it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let closed = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(closed, Duration::from_secs(20), |is_open| !*is_open).unwrap());
    }
}

/// The small model with faults: for a text with `WAIT` it waits for its gate, and it panics for one with `PANIC`.
#[derive(Clone)]
pub struct Faulty {
    pub extractor: Extractor,
    pub gate: Gate,
    pub batches: Batches,
}

impl Faulty {
    pub fn new() -> Self {
        Self { extractor: extractor(), gate: Gate::default(), batches: Batches::default() }
    }

    /// Waits until a batch is being read, or has been.
    pub fn until_busy(&self) {
        until(|| !self.batches.lock().unwrap().is_empty());
    }
}

/// Waits for something that happens soon.
#[track_caller]
pub fn until(mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_true() {
        assert!(Instant::now() < end, "it does not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

impl Engine for Faulty {
    fn info(&self) -> ModelInfo {
        self.extractor.info()
    }

    fn prepare(
        &self,
        text: String,
        options: &ExtractOptions,
        entities: Option<&[GivenEntity]>,
    ) -> Result<TokenizedText, ModelError> {
        assert!(!text.contains("EARLY"), "a panic before the queue");
        self.extractor.prepare(text, options, entities)
    }

    fn read(&self, options: &ExtractOptions, texts: &[&TokenizedText]) -> Result<Vec<Document>, ModelError> {
        self.batches.lock().unwrap().push(texts.len());
        if texts.iter().any(|text| text.text().contains("WAIT")) {
            self.gate.wait();
        }
        assert!(!texts.iter().any(|text| text.text().contains("PANIC")), "a panic of the model");
        self.extractor.read(options, texts)
    }
}
