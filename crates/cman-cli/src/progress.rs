//! What a training run shows while it runs.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;

use cman_data::EncoderIdentity;
use cman_score::Scores;
use cman_train::{EpochReport, Observer, RunFacts, TrainError};
use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::{consts::SIGINT, flag};

/// Writes a line an epoch to the standard output; on a terminal a bar shows the batches.
pub struct Progress {
    batches: Batches,
    heading: String,
    resume: bool,
}

/// A bar of the batches of a run, which also listens for Ctrl-C.
pub struct Batches {
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
    epochs: usize,
    /// Batches of the epochs before this one.
    before: usize,
    /// Batches of this epoch.
    now: usize,
}

impl Progress {
    /// Listens for Ctrl-C. The `heading` comes first; with `resume` the epochs done before come next.
    pub fn new(heading: String, epochs: usize, resume: bool) -> Result<Self> {
        let mut batches = Batches::new()?;
        batches.restart(epochs);
        Ok(Self { batches, heading, resume })
    }

    /// Takes the bar away.
    pub fn finish(self) {
        self.batches.finish();
    }
}

impl Batches {
    /// A bar without a length.
    pub fn new() -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        // Who asks twice does not want to wait for the batch: the first handler only acts once the second has run.
        flag::register_conditional_shutdown(SIGINT, 130, interrupted.clone())?;
        flag::register(SIGINT, interrupted.clone())?;
        let style = "{msg} {wide_bar} {pos}/{len} batches, {eta} left";
        let bar = ProgressBar::no_length();
        bar.set_style(ProgressStyle::with_template(style).expect("a template of indicatif's"));
        Ok(Self { bar, interrupted, epochs: 0, before: 0, now: 0 })
    }

    /// Starts with a run of so many epochs.
    pub fn restart(&mut self, epochs: usize) {
        (self.epochs, self.before, self.now) = (epochs, 0, 0);
        self.bar.reset();
    }

    /// Goes on with an epoch (from 1) of so many batches.
    pub fn epoch_start(&mut self, epoch: usize, batches: usize) {
        self.before += self.now;
        self.now = batches;
        // A run on train and dev may be shorter, but never longer than it was said to be.
        self.bar.set_length((self.before + batches * (self.epochs + 1).saturating_sub(epoch)) as u64);
        self.bar.set_message(format!("epoch {epoch}/{}", self.epochs));
    }

    /// Goes on with a batch (from 1) of the epoch.
    pub fn batch(&mut self, batch: usize) {
        self.bar.set_position((self.before + batch) as u64);
    }

    /// Whether there was a Ctrl-C.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Writes a line above the bar. A run goes on where nobody reads it.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(io::stdout().lock(), "{line}");
        });
    }
}

impl Observer for Progress {
    fn start(&mut self, facts: &RunFacts) {
        self.batches.say(&self.heading);
        if self.resume {
            self.batches.say(&format!("resuming    behind epoch {}", facts.epochs_done));
        }
        self.batches.say(&describe(facts));
    }

    fn epoch_start(&mut self, epoch: usize, batches: usize) {
        self.batches.epoch_start(epoch, batches);
    }

    fn batch(&mut self, batch: usize, _loss: f64) {
        self.batches.batch(batch);
    }

    fn wants_stop(&mut self) -> bool {
        self.batches.interrupted()
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        self.batches.say(&epoch_line(report));
        Ok(())
    }
}

/// The facts of a run, one a line.
fn describe(facts: &RunFacts) -> String {
    let mut lines = vec![
        format!("sentences   {} to train on, {} to choose the epoch by", facts.sentences, facts.dev_sentences),
        format!(
            "words       {} trained ({} from word vectors), {} known in all; {} characters",
            facts.trained_words, facts.pretrained_words, facts.words, facts.characters
        ),
        format!("parameters  {}", facts.parameters),
    ];
    if let Some(encoder) = &facts.encoder {
        let state = match facts.encoder_parameters {
            0 => "frozen".into(),
            parameters => format!("{parameters} parameters, trained too"),
        };
        let EncoderIdentity { kind, name, pooling, .. } = encoder;
        let pooled = if pooling.is_empty() { String::new() } else { format!(", pooled by {pooling}") };
        lines.push(format!("encoder     {name} ({kind}{pooled}), {state}"));
    }
    let (entities, relations) = (facts.unrepresentable_entities, facts.unrepresentable_relations);
    if entities + relations > 0 {
        lines.push(format!("overlaps    {entities} entities and {relations} relations that BIO tags cannot hold"));
    }
    lines.join("\n")
}

fn epoch_line(report: &EpochReport) -> String {
    let loss = report.ner_loss + report.re_loss;
    let seconds = report.train_seconds + report.dev_seconds;
    let dev = report.dev.as_ref().map_or_else(String::new, |dev| format!("  dev {}", f1(dev)));
    let best = if report.best { "  best" } else { "" };
    format!("epoch {:3}  loss {loss:8.3}{dev}  {seconds:5.1} s{best}", report.epoch)
}

/// `entities 81.20  relations 55.73`: strict micro F1 in percent.
pub fn f1(scores: &Scores) -> String {
    let [entities, relations] = [&scores.entities, &scores.relations].map(|task| 100.0 * task.strict.micro.f1);
    format!("entities {entities:5.2}  relations {relations:5.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_a_line() {
        let mut report = EpochReport {
            epoch: 7,
            ner_loss: 1.5,
            re_loss: 0.25,
            learning_rate: 5e-4,
            dev: None,
            best: false,
            train_seconds: 2.0,
            dev_seconds: 0.5,
        };
        assert_eq!(epoch_line(&report), "epoch   7  loss    1.750    2.5 s");
        report.dev = Some(Scores::default());
        report.best = true;
        let expected = "epoch   7  loss    1.750  dev entities  0.00  relations  0.00    2.5 s  best";
        assert_eq!(epoch_line(&report), expected);
    }

    #[test]
    fn overlaps_are_a_fact_only_where_there_are_some() {
        let mut facts = RunFacts {
            epochs_done: 0,
            sentences: 3,
            dev_sentences: 2,
            trained_words: 10,
            pretrained_words: 4,
            words: 30,
            characters: 20,
            parameters: 1000,
            encoder: None,
            encoder_parameters: 0,
            unrepresentable_entities: 0,
            unrepresentable_relations: 0,
        };
        assert_eq!(describe(&facts).lines().count(), 3);
        facts.unrepresentable_relations = 1;
        assert!(describe(&facts).ends_with("0 entities and 1 relations that BIO tags cannot hold"));
    }
}
