//! What differs from epoch to epoch, which epoch is kept, and when a run ends.
//!
//! With a vanishing learning rate the weights stay as they are: a loss can then only change by the batches, the dropout
//! masks and the unknown words of its epoch, and no dev score changes.

mod common;

use std::collections::BTreeSet;

use burn::tensor::Device;
use cman_data::Sentence;
use cman_train::{EpochReport, Learner, Observer, TrainError, Trained, TrainingData, selection_metric};
use common::{bits, config, schema, sentences};

/// Smaller than the last bit of any weight but 0.
const STILL: &str = "train.learning_rate=1e-30";

/// Nothing random but the batches.
const PLAIN: [&str; 5] = [
    "model.dropout.input=0",
    "model.dropout.label=0",
    "model.dropout.sequence=0",
    "train.rare_unknown=0",
    "train.adversarial.alpha=0",
];

/// Everything that a run reports.
#[derive(Default)]
struct Record {
    /// For each epoch, the mean loss so far after each batch.
    batches: Vec<Vec<f64>>,
    epochs: Vec<EpochReport>,
}

impl Observer for Record {
    fn epoch_start(&mut self, epoch: usize, _batches: usize) {
        assert_eq!(epoch, self.batches.len() + 1);
        self.batches.push(Vec::new());
    }

    fn batch(&mut self, batch: usize, loss: f64) {
        let losses = self.batches.last_mut().expect("an epoch has started");
        losses.push(loss);
        assert_eq!(batch, losses.len());
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        self.epochs.push(report.clone());
        Ok(())
    }
}

fn run(train: &[Sentence], dev: &[Sentence], settings: &[&[&str]]) -> (Trained, Record) {
    let (schema, mut record) = (schema(), Record::default());
    let data = TrainingData { schema: &schema, train, dev };
    let learner = Learner::new(config(&settings.concat()), data, None, &Device::flex()).expect("a learner");
    (learner.run(&mut record).expect("a trained model"), record)
}

/// How many of the numbers are different.
fn n_different(numbers: impl IntoIterator<Item = f64>) -> usize {
    numbers.into_iter().map(f64::to_bits).collect::<BTreeSet<_>>().len()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-4 * b.abs()
}

#[test]
fn every_epoch_has_batches_of_its_own() {
    let settings = [&PLAIN[..], &[STILL, "train.bucket=1", "train.batch_size=3"]];
    let (_, record) = run(&sentences(), &[], &settings);
    assert_eq!((record.batches.len(), record.batches[0].len()), (4, 4));
    let whole: Vec<f64> = record.epochs.iter().map(|report| report.ner_loss + report.re_loss).collect();
    assert!(whole.iter().all(|&loss| close(loss, whole[0])), "only the batches may differ: {whole:?}");
    for first in 1..4 {
        let same = record.batches[0].iter().zip(&record.batches[first]).filter(|(a, b)| close(**a, **b)).count();
        assert!(same < 4, "epoch {} has the batches of epoch 1: {:?}", first + 1, record.batches);
    }
}

#[test]
fn every_epoch_has_dropout_masks_of_its_own() {
    // One sentence, so that there is one batch and nothing to shuffle.
    let losses = |dropout: &'static str| {
        let others = PLAIN.into_iter().filter(|setting| setting.split('=').next() != dropout.split('=').next());
        let settings: Vec<&str> = others.chain([dropout, STILL]).collect();
        let (_, record) = run(&sentences()[..1], &[], &[&settings]);
        record.epochs.into_iter().map(|report| report.ner_loss + report.re_loss).collect::<Vec<f64>>()
    };
    let still = losses("model.dropout.input=0");
    assert!(still.len() == 4 && still.iter().all(|&loss| close(loss, still[0])), "without dropout: {still:?}");
    for dropout in ["model.dropout.input=0.5", "model.dropout.label=0.5", "model.dropout.sequence=0.5"] {
        let found = losses(dropout);
        assert!(n_different(found.iter().copied()) >= 3, "{dropout}: {found:?}");
    }
}

#[test]
fn every_epoch_has_unknown_words_of_its_own() {
    let (_, record) = run(&sentences()[..1], &[], &[&PLAIN[..], &["train.rare_unknown=0.5", "train.epochs=6", STILL]]);
    let losses: Vec<f64> = record.epochs.iter().map(|report| report.ner_loss + report.re_loss).collect();
    assert!(losses.len() == 6 && n_different(losses.iter().copied()) >= 3, "{losses:?}");
}

#[test]
fn of_equal_epochs_the_first_is_kept() {
    let (train, dev) = (&sentences()[..8], &sentences()[8..]);
    let (trained, record) = run(train, dev, &[&[STILL]]);
    let scores: Vec<_> = record.epochs.iter().map(|report| report.dev.clone()).collect();
    assert!(scores.len() == 4 && scores.iter().all(|dev| dev.is_some() && *dev == scores[0]), "dev does not move");
    assert_eq!(record.epochs.iter().map(|report| report.best).collect::<Vec<_>>(), [true, false, false, false]);
    assert_eq!((trained.epoch, trained.dev), (1, scores[0].clone()));
}

#[test]
fn a_run_ends_after_as_many_epochs_without_a_better_one_as_patience_says() {
    let (train, dev) = (&sentences()[..8], &sentences()[8..]);
    for (patience, epochs) in [(0, 6), (1, 2), (2, 3), (4, 5), (5, 6), (9, 6)] {
        let patience = format!("train.patience={patience}");
        let (trained, record) = run(train, dev, &[&[STILL, "train.epochs=6", &patience]]);
        assert_eq!((trained.epoch, record.epochs.len()), (1, epochs), "{patience}");
    }
}

#[test]
fn the_best_epoch_on_dev_is_kept_and_patience_counts_from_it() {
    let (train, dev) = (&sentences()[..8], &sentences()[8..]);
    let (trained, record) = run(train, dev, &[&["train.epochs=40", "train.patience=5"]]);
    let (mut best, mut highest) = (0, f64::NEG_INFINITY);
    for report in &record.epochs {
        let dev = report.dev.as_ref().expect("scores on dev");
        let found = (dev.entities.strict.micro.f1 + dev.relations.strict.micro.f1) / 2.0;
        assert_eq!((report.selection_metric(), selection_metric(dev)), (Some(found), found));
        assert_eq!(report.best, found > highest, "epoch {}", report.epoch);
        if found > highest {
            (best, highest) = (report.epoch, found);
        }
    }
    assert!(best > 1, "dev gets better after the first epoch");
    assert_eq!(trained.epoch, best);
    assert_eq!(selection_metric(trained.dev.as_ref().expect("scores on dev")), highest);
    assert_eq!(record.epochs.len(), best + 5, "the run stops by its patience");
}

#[test]
fn without_dev_the_last_epoch_is_kept() {
    let (trained, record) = run(&sentences()[..4], &[], &[&["train.epochs=3", "train.patience=1"]]);
    assert_eq!((trained.epoch, record.epochs.len()), (3, 3));
    assert!(
        trained.dev.is_none() && record.epochs.iter().all(|report| !report.best && report.selection_metric().is_none())
    );
}

#[test]
fn the_learning_rate_of_an_update_is_that_of_its_end() {
    // One update: the warm-up is over with it.
    let weights = |warmup: &str| {
        let warmup = format!("train.schedule.warmup_epochs={warmup}");
        let (trained, _) = run(&sentences(), &[], &[&["train.epochs=1", "train.batch_size=12", &warmup]]);
        bits(trained.model.network())
    };
    let full = weights("0");
    assert!(weights("1") == full, "the whole rate");
    assert!(weights("2") != full, "half of it");
}
