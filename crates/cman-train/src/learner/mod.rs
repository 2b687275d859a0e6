//! The training loop: batches, updates, evaluation on dev, the best epoch kept.

mod step;

use std::time::Instant;

use burn::{module::Module, optim::ModuleOptimizer, tensor::Device};
use cman_core::{
    Cman, Mode,
    model::{PredictOptions, Sizes},
    random::Key,
};
use cman_data::{EncodedSentence, Schema, Sentence, Vocabularies};

use crate::{
    Checkpoints, Config, Encoder, EpochReport, Model, Observer, RunFacts, TrainError, Trainable, WordVectors,
    batches::{self, Limits},
    checkpoint::{Best, Progress},
    encoder::KeptVectors,
    inference,
    observer::criterion,
    scoring,
};

/// The data of a run.
#[derive(Clone, Copy, Debug)]
pub struct TrainingData<'a> {
    /// The types; every sentence keeps to them.
    pub schema: &'a Schema,
    /// Sentences to learn from.
    pub train: &'a [Sentence],
    /// Sentences to choose the epoch by; none: the last epoch is kept.
    pub dev: &'a [Sentence],
}

/// A training run between two epochs.
pub struct Learner {
    config: Config,
    schema: Schema,
    vocabularies: Vocabularies,
    trained_words: usize,
    train: Vec<EncodedSentence>,
    train_ids: Vec<String>,
    dev: Vec<Sentence>,
    dev_encoded: Vec<EncodedSentence>,
    encoder: Option<EncoderInput>,
    weights: Trainable,
    optimizer: ModuleOptimizer,
    device: Device,
    facts: RunFacts,
    progress: Progress,
    best: Option<Best>,
    checkpoints: Option<Checkpoints>,
}

/// The encoder of a run and what it says to the sentences.
struct EncoderInput {
    encoder: Encoder,
    train: KeptVectors,
    dev: KeptVectors,
}

/// A trained model and how it came about.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model of the kept epoch.
    pub model: Model,
    /// The epoch it is from.
    pub epoch: usize,
    /// Its scores on dev, where there is one.
    pub dev: Option<scoring::Scores>,
}

impl Learner {
    /// Makes vocabularies and a new network for these data on `device` (without autodiff; it is added here).
    ///
    /// With word vectors, `model.word.width` becomes theirs; with an encoder, `model.contextual` becomes its shape. A
    /// frozen encoder reads all sentences here, once.
    ///
    /// # Errors
    /// No training sentence, no entity or relation type, a bad vector file or encoder, a sentence that
    /// cannot be encoded, a setting outside of its range.
    pub fn new(
        mut config: Config,
        data: TrainingData,
        vectors: Option<&std::path::Path>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        if data.train.is_empty() {
            return Err(TrainError::NoSentences { part: "training data", purpose: "learn from" });
        }
        for (part, types) in [("entity types", &data.schema.entities), ("relation types", &data.schema.relations)] {
            if types.is_empty() {
                return Err(TrainError::NoTypes { part });
            }
        }
        config.validate()?;
        let fine_tune = config.encoder.fine_tune;
        let encoder =
            Encoder::open(&config.encoder, &if fine_tune { device.clone().autodiff() } else { device.clone() })?;
        if let Some(encoder) = &encoder {
            config.model.contextual.width = encoder.width();
            config.model.contextual.layers = encoder.n_layers();
        } else if config.model.contextual.width > 0 {
            return Err(TrainError::Setting {
                field: "model.contextual.width",
                expected: "0 without an encoder (encoder.kind)",
                found: config.model.contextual.width.to_string(),
            });
        }
        let mut vocabularies = Vocabularies::build(data.train, config.model.word.lowercase);
        let trained_words = vocabularies.words.len();
        let vectors =
            vectors.map(|path| WordVectors::read(path, config.vectors.keep, &mut vocabularies)).transpose()?;
        if let Some(vectors) = &vectors {
            config.model.word.width = vectors.width;
        }
        config.validate()?;
        let encode = |sentences: &[Sentence]| {
            let encoded: Result<Vec<_>, _> =
                sentences.iter().map(|sentence| vocabularies.encode(sentence, data.schema)).collect();
            encoded
        };
        let (train, dev_encoded) = (encode(data.train)?, encode(data.dev)?);
        let sizes = Sizes {
            words: trained_words,
            characters: vocabularies.chars.len(),
            entities: data.schema.entities.len(),
            relations: data.schema.relations.len(),
        };
        let encoder = encoder.map(|encoder| {
            // Without a graph: nothing of these vectors is trained.
            let plain = encoder.as_bert().filter(|_| fine_tune).map(|bert| bert.network.valid());
            let plain = encoder.clone().with_weights(plain.as_ref());
            let keep = |sentences| KeptVectors::new(&plain, sentences, !config.encoder.is_trained_after(0));
            let (train, dev) = (keep(data.train)?, keep(data.dev)?);
            Ok::<_, TrainError>(EncoderInput { encoder, train, dev })
        });
        let encoder = encoder.transpose()?;
        let device = device.clone().autodiff();
        let network = Cman::new(&config.model, sizes, config.seed, &device)?;
        let n_known = vectors.as_ref().map_or(0, WordVectors::n_known);
        let parameters = network.num_params();
        let network = match vectors {
            Some(vectors) => vectors.install(network),
            None => network,
        };
        let tuned = encoder.as_ref().filter(|_| fine_tune).and_then(|input| input.encoder.as_bert());
        let weights = Trainable { network, contextual_encoder: tuned.map(|bert| bert.network.clone()) };
        let facts = RunFacts {
            sentences: train.len(),
            dev_sentences: dev_encoded.len(),
            trained_words,
            pretrained_words: n_known,
            words: vocabularies.words.len(),
            characters: vocabularies.chars.len(),
            parameters,
            encoder: encoder.as_ref().map(|input| input.encoder.identity().clone()),
            encoder_parameters: weights.n_tuned(),
            unrepresentable_entities: train.iter().map(|sentence| sentence.unrepresentable.entities).sum(),
            unrepresentable_relations: train.iter().map(|sentence| sentence.unrepresentable.relations).sum(),
        };
        Ok(Self {
            schema: data.schema.clone(),
            vocabularies,
            trained_words,
            train,
            train_ids: data.train.iter().map(|sentence| sentence.id.clone()).collect(),
            dev: data.dev.to_vec(),
            dev_encoded,
            encoder,
            weights,
            optimizer: Trainable::optimizer(config.encoder.weight_decay),
            device,
            facts,
            progress: Progress::default(),
            best: None,
            checkpoints: None,
            config,
        })
    }

    /// Writes checkpoints, and goes on from the one there is if `resume`; else removes it.
    ///
    /// # Errors
    /// With `resume`: a checkpoint that is damaged, or of a run with another configuration or other data.
    pub fn with_checkpoints(mut self, mut checkpoints: Checkpoints, resume: bool) -> Result<Self, TrainError> {
        if resume && checkpoints.exists() {
            let restored = checkpoints.read(&self.fingerprint(), &self.weights, self.optimizer)?;
            self.progress = restored.progress;
            self.weights = restored.network;
            self.optimizer = restored.optimizer;
            self.best = restored.best;
        } else {
            checkpoints.clear()?;
        }
        self.checkpoints = Some(checkpoints);
        Ok(self)
    }

    /// Whole epochs done.
    pub fn epochs_done(&self) -> usize {
        self.progress.epoch
    }

    /// Tells runs apart whose checkpoints do not fit each other: the settings and the data they learn from.
    fn fingerprint(&self) -> String {
        let ids = |key: Key, ids: &[u32]| ids.iter().fold(key.with(ids.len() as u64), |key, &id| key.with(id.into()));
        let sentence = |key: Key, sentence: &EncodedSentence| {
            let key =
                sentence.chars.iter().fold(ids(ids(key, &sentence.words), &sentence.tags), |key, word| ids(key, word));
            sentence.relations.iter().fold(key, |key, r| ids(key, &[r.head as u32, r.tail as u32, r.kind as u32]))
        };
        let names = [
            self.vocabularies.words.names(),
            self.vocabularies.chars.names(),
            self.schema.entities.names(),
            self.schema.relations.names(),
        ];
        let hash = self.encoder.as_ref().map_or("", |input| &input.encoder.identity().hash);
        // Where the encoder lies may change; what it is says the hash.
        let mut config = self.config.clone();
        config.encoder.path.clear();
        let key = Key::new(0).at(&config.to_toml()).at(hash).with(self.trained_words as u64);
        let key = names.into_iter().fold(key, |key, names| names.iter().fold(key, |key, name| key.at(name)));
        format!("{:?}", self.train.iter().chain(&self.dev_encoded).fold(key, sentence))
    }

    /// Trains to the end: all epochs, or until dev stops getting better.
    ///
    /// # Errors
    /// As [`epoch`](Self::epoch); a checkpoint that cannot be written.
    pub fn run(mut self, observer: &mut dyn Observer) -> Result<Trained, TrainError> {
        observer.start(&self.facts);
        while !self.is_done() {
            let report = self.epoch(observer)?;
            observer.epoch(&report)?;
            self.checkpoint()?;
        }
        Ok(self.finish())
    }

    /// Whether all epochs are done, or dev has not got better for `train.patience` epochs.
    pub fn is_done(&self) -> bool {
        let patience = self.config.train.patience;
        let stale = self.best.as_ref().map_or(0, |best| self.progress.epoch - best.epoch);
        self.progress.epoch >= self.config.train.epochs || (patience > 0 && stale >= patience)
    }

    /// Trains one epoch (the rest of it, after a resume) and evaluates it on dev.
    ///
    /// # Errors
    /// [`TrainError::NotFinite`] if the loss or the gradients leave the finite numbers; the network is then as it was
    /// before that batch. [`TrainError::Stopped`] if the observer wants to stop.
    pub fn epoch(&mut self, observer: &mut dyn Observer) -> Result<EpochReport, TrainError> {
        let key = Key::new(self.config.seed).at("epoch").with(self.progress.epoch as u64);
        let train = self.config.train.clone();
        if self.config.encoder.is_trained_after(self.progress.epoch) {
            self.encoder.iter_mut().flat_map(|input| [&mut input.train, &mut input.dev]).for_each(KeptVectors::forget);
        }
        let lengths: Vec<usize> = self.train.iter().map(|sentence| sentence.words.len()).collect();
        let limits = Limits { sentences: train.batch_size, tokens: train.batch_tokens };
        let batches = batches::shuffled(&lengths, limits, train.bucket, key);
        observer.epoch_start(self.progress.epoch + 1, batches.len());
        for (i, batch) in batches.iter().enumerate().skip(self.progress.batch) {
            let start = Instant::now();
            let at = self.progress.epoch as f64 + (i + 1) as f64 / batches.len() as f64;
            let rates = [train.rate(at), self.config.encoder.rate(at, train.epochs as f64)];
            let loss = self.step(batch, rates, i + 1, key.at("batch").with(i as u64))?;
            self.progress.batch = i + 1;
            self.progress.sentences += batch.len();
            self.progress.ner += loss.ner;
            self.progress.re += loss.re;
            self.progress.seconds += start.elapsed().as_secs_f64();
            let mean = (self.progress.ner + self.progress.re) / self.progress.sentences as f64;
            observer.batch(i + 1, mean);
            if observer.wants_stop() {
                self.checkpoint()?;
                return Err(TrainError::Stopped { epoch: self.progress.epoch + 1, batch: i + 1 });
            }
            if self.checkpoints.as_ref().is_some_and(Checkpoints::is_due) {
                self.checkpoint()?;
            }
        }
        let done = std::mem::take(&mut self.progress);
        self.progress.epoch = done.epoch + 1;
        let start = Instant::now();
        let dev = self.evaluate()?;
        let best = self.keep_best(dev.as_ref());
        Ok(EpochReport {
            epoch: self.progress.epoch,
            ner_loss: done.ner / done.sentences as f64,
            re_loss: done.re / done.sentences as f64,
            learning_rate: train.rate(self.progress.epoch as f64),
            dev,
            best,
            train_seconds: done.seconds,
            dev_seconds: start.elapsed().as_secs_f64(),
        })
    }

    fn checkpoint(&mut self) -> Result<(), TrainError> {
        let run = self.fingerprint();
        match &mut self.checkpoints {
            Some(checkpoints) => {
                checkpoints.write(&run, &self.progress, &self.weights, &self.optimizer, self.best.as_ref())
            }
            None => Ok(()),
        }
    }

    fn evaluate(&self) -> Result<Option<scoring::Scores>, TrainError> {
        if self.dev.is_empty() {
            return Ok(None);
        }
        let options = PredictOptions::from(&self.config.model.relation);
        let batch_size = 2 * self.config.train.batch_size;
        let Trainable { network, contextual_encoder } = self.weights.valid();
        let device = self.device.clone().inner();
        let vectors = self.encoder.as_ref().map(|input| {
            let encoder = input.encoder.clone().with_weights(contextual_encoder.as_ref());
            let device = &device;
            move |members: &[usize]| input.dev.batch(&encoder, members, Mode::Evaluate, device)
        });
        let contextual = vectors.as_ref().map(|vectors| vectors as inference::Contextual);
        let found = inference::predict(&network, &self.dev_encoded, contextual, batch_size, options, false)?;
        Ok(Some(inference::score_found(&self.dev, &found, &self.schema)?.0))
    }

    /// Keeps this epoch's weights if dev was never better.
    fn keep_best(&mut self, dev: Option<&scoring::Scores>) -> bool {
        let Some(scores) = dev else { return false };
        let criterion = criterion(scores);
        let better = self.best.as_ref().is_none_or(|best| criterion > best.criterion);
        if better {
            let network = self.weights.valid();
            self.best = Some(Best { epoch: self.progress.epoch, criterion, network, scores: scores.clone() });
        }
        better
    }

    /// The model of the best epoch, or of the last where there is no dev data.
    pub fn finish(self) -> Trained {
        let (weights, epoch, dev) = match self.best {
            Some(best) => (best.network, best.epoch, Some(best.scores)),
            None => (self.weights.valid(), self.progress.epoch, None),
        };
        let tuned = weights.contextual_encoder;
        let model = Model {
            encoder: self.encoder.map(|input| input.encoder.with_weights(tuned.as_ref())),
            config: self.config,
            schema: self.schema,
            vocabularies: self.vocabularies,
            network: weights.network,
            trained_words: self.trained_words,
        };
        Trained { model, epoch, dev }
    }
}
