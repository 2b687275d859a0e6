//! The training loop: batches, updates, evaluation on dev, and the best epoch.

mod data;
mod identity;
mod inputs;
mod setup;

use std::time::Instant;

use burn::{module::Module, optim::ModuleOptimizer, tensor::Device};
use burn_ragged::{Key, Mode, is_cpu};
use cman_core::model::{Given, PredictOptions, Sizes};
use cman_data::Sentence;
use cman_model::{Batching, Config, ContextualVectors, Limits, MemoryLimit, Model, PredictionMemory, predict};
use cman_score::Scores;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::{
    adversarial::BatchLoss,
    batch_gradients::{LearningRates, batch_gradients, batch_shards},
    batches,
    checkpoint::{Best, Checkpoints, Progress},
    contextual_cache::ContextualCache,
    error::TrainError,
    evaluate::Evaluation,
    identity::{CurrentRun, RunIdentity},
    observer::{EpochReport, Observer, RunFacts, selection_metric},
    trainable::Trainable,
};
pub use data::TrainingData;
use data::{EncodedData, EncoderInput};
use inputs::BatchInputs;

/// A training run. Its methods run one epoch or all.
pub struct Learner {
    config: Config,
    data: EncodedData,
    sizes: Sizes,
    max_memory: MemoryLimit,
    dev_batching: Batching,
    encoder: Option<EncoderInput>,
    weights: Trainable,
    optimizer: ModuleOptimizer,
    device: Device,
    facts: RunFacts,
    progress: Progress,
    best: Option<Best>,
    checkpoints: Option<Checkpoints>,
    run: CurrentRun,
}

/// A trained model.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model of the kept epoch.
    pub model: Model,
    /// The kept epoch.
    pub epoch: usize,
    /// Its scores on dev, if there is dev data.
    pub dev: Option<Scores>,
}

impl Learner {
    /// Writes checkpoints. With `resume` the run continues from an existing checkpoint; without, the checkpoint is
    /// removed.
    ///
    /// # Errors
    /// With `resume`: a checkpoint that is damaged, and [`TrainError::OtherRun`] for one of a run with other settings or
    /// other data. A checkpoint with fewer `train.epochs` is resumed if no epoch depends on their number.
    pub fn with_checkpoints(mut self, mut checkpoints: Checkpoints, resume: bool) -> Result<Self, TrainError> {
        if resume && checkpoints.exists() {
            let restored = checkpoints.read(&self.run, &self.weights, self.optimizer)?;
            self.progress = restored.progress;
            self.weights = restored.network;
            self.optimizer = restored.optimizer;
            self.best = restored.best;
            self.facts.epochs_done = self.progress.epoch;
        } else {
            checkpoints.clear()?;
        }
        self.checkpoints = Some(checkpoints);
        Ok(self)
    }

    /// What decides the result of the run.
    pub fn identity(&self) -> &RunIdentity {
        &self.run.identity
    }

    /// Facts known before training.
    pub fn facts(&self) -> &RunFacts {
        &self.facts
    }

    /// Checks that predictions for these sentences fit into memory, before a model is trained for them. `part` names them
    /// in the error.
    ///
    /// # Errors
    /// [`ModelError::Memory`](cman_model::ModelError::Memory) for a sentence whose batch does not fit; a sentence that the
    /// encoder refuses.
    pub fn check_prediction(&self, part: &str, sentences: &[Sentence], batch_size: usize) -> Result<(), TrainError> {
        if is_cpu(&self.device) {
            let encoder = self.encoder.as_ref().map(|input| &input.encoder);
            let memory = PredictionMemory { config: &self.config.model, sizes: self.sizes, encoder };
            memory.batching(part, sentences, batch_size, self.max_memory)?;
        }
        Ok(())
    }

    /// Number of completed epochs.
    pub fn epochs_done(&self) -> usize {
        self.progress.epoch
    }

    /// Trains all epochs, or until the selection metric stops improving.
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

    /// Whether all epochs are done, or the selection metric has not improved for `train.patience` epochs.
    pub fn is_done(&self) -> bool {
        let patience = self.config.train.patience;
        let stale = self.best.as_ref().map_or(0, |best| self.progress.epoch - best.epoch);
        self.progress.epoch >= self.config.train.epochs || (patience > 0 && stale >= patience)
    }

    /// Trains one epoch, or the rest of it after a resume, and evaluates it on dev.
    ///
    /// # Errors
    /// [`TrainError::NotFinite`] if the loss or a gradient is not finite; the weights are then those before that batch.
    /// [`TrainError::Stopped`] if the observer stops the run.
    pub fn epoch(&mut self, observer: &mut dyn Observer) -> Result<EpochReport, TrainError> {
        let key = Key::new(self.config.seed).at("epoch").with(self.progress.epoch as u64);
        let train = self.config.train.clone();
        if self.config.encoder.is_trained_after(self.progress.epoch) {
            self.encoder
                .iter_mut()
                .flat_map(|input| [&mut input.train, &mut input.dev])
                .for_each(ContextualCache::clear);
        }
        let lengths: Vec<usize> = self.data.train.iter().map(|sentence| sentence.words.len()).collect();
        let limits = Limits { sentences: train.batch_size, tokens: train.batch_tokens };
        let batches = batches::shuffled(&lengths, limits, train.bucket, key);
        observer.epoch_start(self.progress.epoch + 1, batches.len());
        for (i, batch) in batches.iter().enumerate().skip(self.progress.batch) {
            let start = Instant::now();
            let at = self.progress.epoch as f64 + (i + 1) as f64 / batches.len() as f64;
            let rates =
                LearningRates { network: train.rate(at), encoder: self.config.encoder.rate(at, train.epochs as f64) };
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

    /// One update on the training sentences `batch`, the batch with this number in the epoch.
    fn step(
        &mut self,
        batch: &[usize],
        rates: LearningRates,
        number: usize,
        key: Key,
    ) -> Result<BatchLoss, TrainError> {
        let inputs = BatchInputs {
            config: &self.config,
            data: &self.data,
            encoder: self.encoder.as_ref(),
            network: &self.weights.network,
            device: &self.device,
            epoch: self.progress.epoch,
            batch,
            key,
        };
        let shards = batch_shards(&self.weights, batch.len()).into_par_iter().with_max_len(1);
        let shards = shards.map(|shard| Ok((inputs.of(&shard)?, shard))).collect::<Result<Vec<_>, TrainError>>()?;
        let gradients = batch_gradients(&self.weights, shards, &self.config.train, key);
        if let Some(what) = gradients.not_finite() {
            return Err(TrainError::NotFinite {
                epoch: self.progress.epoch + 1,
                batch: number,
                what,
                sentences: batch.iter().map(|&s| self.data.train_ids[s].as_str()).collect::<Vec<_>>().join(", "),
            });
        }
        let loss = gradients.loss;
        self.weights = gradients.apply(&self.weights, &mut self.optimizer, rates);
        Ok(loss)
    }

    fn checkpoint(&mut self) -> Result<(), TrainError> {
        let Some(checkpoints) = &mut self.checkpoints else { return Ok(()) };
        checkpoints.write(&self.run, &self.progress, &self.weights, &self.optimizer, self.best.as_ref())
    }

    fn evaluate(&self) -> Result<Option<Scores>, TrainError> {
        if self.data.dev.is_empty() {
            return Ok(None);
        }
        let options = PredictOptions::from(&self.config.model.relation);
        let Trainable { network, contextual_encoder } = self.weights.valid();
        let device = self.device.clone().inner();
        let vectors = self.encoder.as_ref().map(|input| {
            let encoder = input.encoder.clone().with_weights(contextual_encoder.as_ref());
            let device = &device;
            move |members: &[usize]| input.dev.batch(&encoder, members, Mode::Evaluate, device)
        });
        let contextual = vectors.as_ref().map(|vectors| vectors as ContextualVectors);
        let (dev, batching) = (&self.data.dev_encoded, self.dev_batching);
        let predictions = predict(&network, dev, contextual, batching, Given::Nothing, options)?;
        Ok(Some(Evaluation::of(&self.data.dev, &predictions, &self.data.schema)?.scores))
    }

    /// Keeps the weights of this epoch if its selection metric is the best so far.
    fn keep_best(&mut self, dev: Option<&Scores>) -> bool {
        let Some(scores) = dev else { return false };
        let metric = selection_metric(scores);
        let is_best = self.best.as_ref().is_none_or(|best| metric > best.selection_metric);
        if is_best {
            let network = self.weights.valid();
            let scores = scores.clone();
            self.best = Some(Best { epoch: self.progress.epoch, selection_metric: metric, network, scores });
        }
        is_best
    }

    /// The model of the best epoch, or of the last epoch without dev data.
    pub fn finish(self) -> Trained {
        let (weights, epoch, dev) = match self.best {
            Some(best) => (best.network, best.epoch, Some(best.scores)),
            None => (self.weights.valid(), self.progress.epoch, None),
        };
        let fine_tuned = weights.contextual_encoder;
        let encoder = self.encoder.map(|input| input.encoder.with_weights(fine_tuned.as_ref()));
        let EncodedData { schema, vocabularies, trained_words, signatures, .. } = self.data;
        let mut config = self.config;
        config.data.tokenizer = self.facts.tokenizer.tokenizer;
        let model = Model::new(config, schema, vocabularies, weights.network, encoder, trained_words);
        let model = model.with_signatures(signatures).with_memory_limit(self.max_memory);
        Trained { model, epoch, dev }
    }
}
