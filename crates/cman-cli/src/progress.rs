//! Progress of a training run.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;

use cman_data::{EncoderIdentity, TokenizerAgreement};
use cman_score::Scores;
use cman_train::{EpochReport, Observer, RunFacts, TrainError};
use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::{consts::SIGINT, flag};

use crate::notes::note;

/// The share of tokens below which a tokenizer cuts text unlike the training data: one token in twenty differs.
const LOW_AGREEMENT: f64 = 0.95;

/// Writes one line per epoch to standard output. A terminal also shows a bar of the batches.
pub struct Progress {
    bar: BatchBar,
    interrupt: Interrupt,
    heading: String,
    resume: bool,
}

/// Whether Ctrl-C was pressed. A second Ctrl-C exits at once.
#[derive(Clone)]
pub struct Interrupt(Arc<AtomicBool>);

/// A progress bar over the batches of a run.
pub struct BatchBar {
    bar: ProgressBar,
    epochs: usize,
    /// Batches of the previous epochs.
    previous: usize,
    /// Batches of this epoch.
    current: usize,
}

impl Progress {
    /// Starts to handle Ctrl-C. The output starts with `heading` and, with `resume`, the number of completed epochs.
    pub fn new(heading: String, epochs: usize, resume: bool) -> Result<Self> {
        let bar = BatchBar::new(ProgressBar::no_length(), epochs);
        Ok(Self { bar, interrupt: Interrupt::new()?, heading, resume })
    }

    /// Removes the bar.
    pub fn finish(self) {
        self.bar.finish();
    }

    /// Writes a line above the bar.
    fn print_line(&self, line: &str) {
        self.bar.bar.suspend(|| print_line(line));
    }
}

impl Interrupt {
    /// Starts to handle Ctrl-C.
    pub fn new() -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        // The first handler acts only after the second one has set the flag.
        flag::register_conditional_shutdown(SIGINT, 130, interrupted.clone())?;
        flag::register(SIGINT, interrupted.clone())?;
        Ok(Self(interrupted))
    }

    /// Whether Ctrl-C was pressed.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl BatchBar {
    /// Shows the batches of a run of `epochs` epochs in `bar`.
    pub fn new(bar: ProgressBar, epochs: usize) -> Self {
        let style = "{prefix}{msg} {wide_bar} {pos}/{len} batches, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("a template of indicatif's"));
        Self { bar, epochs, previous: 0, current: 0 }
    }

    /// Starts an epoch (from 1) of `batches` batches.
    pub fn epoch_start(&mut self, epoch: usize, batches: usize) {
        self.previous += self.current;
        self.current = batches;
        // A run on train and dev may end earlier, but never has more epochs.
        self.bar.set_length((self.previous + batches * (self.epochs + 1).saturating_sub(epoch)) as u64);
        self.bar.set_message(format!("epoch {epoch}/{}", self.epochs));
    }

    /// Advances to a batch (from 1) of the epoch.
    pub fn batch(&mut self, batch: usize) {
        self.bar.set_position((self.previous + batch) as u64);
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Writes a line to standard output. Write errors are ignored: a closed stdout must not stop training.
pub fn print_line(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

impl Observer for Progress {
    fn start(&mut self, facts: &RunFacts) {
        self.print_line(&self.heading);
        if self.resume {
            self.print_line(&format!("resuming    after epoch {}", facts.epochs_done));
        }
        self.print_line(&describe(facts));
        if facts.tokenizer.share() < LOW_AGREEMENT {
            self.bar.bar.suspend(|| note(low_agreement(&facts.tokenizer)));
        }
    }

    fn epoch_start(&mut self, epoch: usize, batches: usize) {
        self.bar.epoch_start(epoch, batches);
    }

    fn batch(&mut self, batch: usize, _loss: f64) {
        self.bar.batch(batch);
    }

    fn wants_stop(&mut self) -> bool {
        self.interrupt.is_set()
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        self.print_line(&epoch_line(report));
        Ok(())
    }
}

/// The facts of a run, one per line.
fn describe(facts: &RunFacts) -> String {
    let mut lines = vec![
        format!("sentences   {} training, {} dev", facts.sentences, facts.dev_sentences),
        format!(
            "words       {} trained ({} with word vectors), {} in total; {} characters",
            facts.trained_words, facts.pretrained_words, facts.words, facts.characters
        ),
        format!("tokenizer   {}", agreement(&facts.tokenizer)),
        format!("parameters  {}", facts.parameters),
    ];
    if let Some(encoder) = &facts.encoder {
        let state = match facts.encoder_parameters {
            0 => "frozen".into(),
            parameters => format!("{parameters} parameters, fine-tuned"),
        };
        let EncoderIdentity { kind, name, pooling, .. } = encoder;
        let pooled = if pooling.is_empty() { String::new() } else { format!(", pooled by {pooling}") };
        lines.push(format!("encoder     {name} ({kind}{pooled}), {state}"));
    }
    let (entities, relations) = (facts.unrepresentable_entities, facts.unrepresentable_relations);
    if entities + relations > 0 {
        lines.push(format!("overlaps    {entities} entities and {relations} relations not representable in BIO"));
    }
    lines.join("\n")
}

/// `ade (98.7 % of the tokens of the training data)`.
fn agreement(tokenizer: &TokenizerAgreement) -> String {
    format!("{} ({:.1} % of the tokens of the training data)", tokenizer.tokenizer, 100.0 * tokenizer.share())
}

fn low_agreement(tokenizer: &TokenizerAgreement) -> String {
    format!(
        "warning: the tokenizer {}: the model will cut raw text unlike its training data; `data.tokenizer` sets another \
         (auto, conll04, ade, characters), and `cman predict` reads tokens from JSON lines with `tokens`",
        agreement(tokenizer)
    )
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
    use cman_data::TokenizerConfig;

    use super::*;

    #[test]
    fn an_epoch_is_one_line() {
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
    fn overlaps_are_listed_only_if_there_are_any() {
        let mut facts = RunFacts {
            epochs_done: 0,
            sentences: 3,
            dev_sentences: 2,
            tokenizer: TokenizerAgreement { tokenizer: TokenizerConfig::ade(), reproduced: 987, tokens: 1000 },
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
        assert_eq!(describe(&facts).lines().count(), 4);
        assert!(describe(&facts).contains("\ntokenizer   ade (98.7 % of the tokens of the training data)\n"));
        facts.unrepresentable_relations = 1;
        assert!(describe(&facts).ends_with("0 entities and 1 relations not representable in BIO"));
    }
}
