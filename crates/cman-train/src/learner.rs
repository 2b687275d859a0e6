//! The training loop: batches, gradients, Adam, evaluation on dev, the best epoch kept.

use std::time::Instant;

use burn::{
    module::Module,
    optim::{AdamConfig, ModuleOptimizer},
    tensor::Device,
};
use cman_core::{
    Cman, Gold, TokenBatch,
    model::{PredictOptions, Sizes},
    random::{Key, unit},
};
use cman_data::{EncodedSentence, Schema, Sentence, UNKNOWN, Vocabularies};

use crate::{
    BatchLoss, Checkpoints, Config, EpochReport, Model, Observer, RunFacts, TrainError, WordVectors, adversarial,
    batches,
    checkpoint::{Best, Progress},
    gradients, inference,
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
    network: Cman,
    optimizer: ModuleOptimizer,
    device: Device,
    facts: RunFacts,
    progress: Progress,
    best: Option<Best>,
    checkpoints: Option<Checkpoints>,
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
    /// With word vectors, `model.word.width` becomes theirs.
    ///
    /// # Errors
    /// No training sentence, no entity or relation type, a bad vector file, a sentence that cannot be encoded, a setting outside of its range.
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
        if config.model.contextual.width > 0 {
            return Err(TrainError::Setting {
                field: "model.contextual.width",
                expected: "0 (training data come without contextual vectors)",
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
        let device = device.clone().autodiff();
        let network = Cman::new(&config.model, sizes, config.seed, &device)?;
        let n_known = vectors.as_ref().map_or(0, WordVectors::n_known);
        let parameters = network.num_params();
        let network = match vectors {
            Some(vectors) => vectors.install(network),
            None => network,
        };
        let facts = RunFacts {
            sentences: train.len(),
            dev_sentences: dev_encoded.len(),
            trained_words,
            pretrained_words: n_known,
            words: vocabularies.words.len(),
            characters: vocabularies.chars.len(),
            parameters,
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
            network,
            optimizer: AdamConfig::new().with_epsilon(1e-8).init(),
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
            let restored = checkpoints.read(&self.fingerprint(), &self.network, self.optimizer)?;
            self.progress = restored.progress;
            self.network = restored.network;
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
        let key = Key::new(0).at(&self.config.to_toml()).with(self.trained_words as u64);
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
        let lengths: Vec<usize> = self.train.iter().map(|sentence| sentence.words.len()).collect();
        let batches = batches::shuffled(&lengths, train.batch_size, train.bucket, key);
        observer.epoch_start(self.progress.epoch + 1, batches.len());
        let mut learning_rate = 0.0;
        for (i, batch) in batches.iter().enumerate().skip(self.progress.batch) {
            let start = Instant::now();
            let at = self.progress.epoch as f64 + (i + 1) as f64 / batches.len() as f64;
            learning_rate = train.learning_rate * train.schedule.factor(at, train.epochs as f64);
            let loss = self.step(batch, learning_rate, i + 1, key.at("batch").with(i as u64))?;
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
            learning_rate,
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
                checkpoints.write(&run, &self.progress, &self.network, &self.optimizer, self.best.as_ref())
            }
            None => Ok(()),
        }
    }

    /// One update of the weights.
    fn step(&mut self, batch: &[usize], rate: f64, number: usize, key: Key) -> Result<BatchLoss, TrainError> {
        let sentences: Vec<EncodedSentence> =
            batch.iter().enumerate().map(|(i, &s)| self.blurred(s, key.at("rare").with(i as u64))).collect();
        let members: Vec<&EncodedSentence> = sentences.iter().collect();
        let tokens = TokenBatch::new(&members, &self.device);
        let gold = Gold::new(&members);
        let labels = self.labels(&members, &gold, key.at("labels"));
        let train = &self.config.train;
        let factor = if train.mean_loss { 1.0 / batch.len() as f64 } else { 1.0 };
        let (loss, mut gradients) =
            adversarial::gradients(&self.network, &tokens, &gold, &labels, &train.adversarial, factor, key);
        let not_finite = |what| TrainError::NotFinite {
            epoch: self.progress.epoch + 1,
            batch: number,
            what,
            sentences: batch.iter().map(|&s| self.train_ids[s].as_str()).collect::<Vec<_>>().join(", "),
        };
        if !(loss.ner + loss.re).is_finite() {
            return Err(not_finite("loss"));
        }
        let norm = gradients::global_norm(&self.network, &gradients);
        if !norm.is_finite() {
            return Err(not_finite("gradient"));
        }
        if train.clip_norm > 0.0 && norm > train.clip_norm {
            gradients::scale(&self.network, &mut gradients, train.clip_norm / norm);
        }
        self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        Ok(loss)
    }

    /// The sentence with some of the words that training holds once replaced by the unknown word, so that the model
    /// learns what to do with one.
    fn blurred(&self, sentence: usize, key: Key) -> EncodedSentence {
        let mut sentence = self.train[sentence].clone();
        let rate = self.config.train.rare_unknown;
        if rate > 0.0 {
            let mut rng = key.rng();
            for word in &mut sentence.words {
                if self.vocabularies.words.count(*word) == 1 && unit(&mut rng) < rate {
                    *word = UNKNOWN;
                }
            }
        }
        sentence
    }

    /// The tags that the relations see: gold ones, or by `train.predicted_labels` sometimes predicted ones.
    fn labels(&self, members: &[&EncodedSentence], gold: &Gold, key: Key) -> Vec<Vec<u32>> {
        let train = &self.config.train;
        let progress = self.progress.epoch as f64 / (train.epochs.max(2) - 1) as f64;
        let rate = train.predicted_labels * progress;
        if rate == 0.0 {
            return gold.tags.clone();
        }
        let plain = self.network.valid();
        let options = PredictOptions::from(&self.config.model.relation);
        let predicted = plain.predict(&TokenBatch::new(members, &self.device.clone().inner()), None, options);
        let mut rng = key.rng();
        let choose = |(gold, predicted): (&Vec<u32>, cman_core::model::Prediction)| {
            if unit(&mut rng) < rate { predicted.tags } else { gold.clone() }
        };
        gold.tags.iter().zip(predicted).map(choose).collect()
    }

    fn evaluate(&self) -> Result<Option<scoring::Scores>, TrainError> {
        if self.dev.is_empty() {
            return Ok(None);
        }
        let options = PredictOptions::from(&self.config.model.relation);
        let batch_size = 2 * self.config.train.batch_size;
        let data = (self.dev.as_slice(), self.dev_encoded.as_slice());
        let (scores, _) = inference::evaluate(&self.network.valid(), data, &self.schema, batch_size, options, false)?;
        Ok(Some(scores))
    }

    /// Keeps this epoch's weights if dev was never better.
    fn keep_best(&mut self, dev: Option<&scoring::Scores>) -> bool {
        let Some(scores) = dev else { return false };
        let criterion = criterion(scores);
        let better = self.best.as_ref().is_none_or(|best| criterion > best.criterion);
        if better {
            let network = self.network.valid();
            self.best = Some(Best { epoch: self.progress.epoch, criterion, network, scores: scores.clone() });
        }
        better
    }

    /// The model of the best epoch, or of the last where there is no dev data.
    pub fn finish(self) -> Trained {
        let (network, epoch, dev) = match self.best {
            Some(best) => (best.network, best.epoch, Some(best.scores)),
            None => (self.network.valid(), self.progress.epoch, None),
        };
        let model = Model {
            config: self.config,
            schema: self.schema,
            vocabularies: self.vocabularies,
            network,
            trained_words: self.trained_words,
        };
        Trained { model, epoch, dev }
    }
}
