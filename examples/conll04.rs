//! Trains CMAN, prints its scores on the test set, and extracts entities and relations from new sentences.
//!
//! `cargo run --example conll04` uses the bundled sample corpus,
//! `cargo run --example conll04 -- --corpus DIR --vectors FILE --epochs 30 --device flex` the corpus in DIR.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use cman::{
    Config, DeviceKind, EpochReport, Extractor, Learner, Observer, Splits, TrainError, TrainingData, evaluate, sample,
};

#[derive(Parser)]
struct Args {
    /// Folder with train, dev and test files (SpERT JSON or multi-head tables); default: the sample corpus
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Word vectors in text format, such as glove.6B.50d.txt
    #[arg(long)]
    vectors: Option<PathBuf>,
    /// Backend: flex, ndarray, wgpu, vulkan, metal or cuda
    #[arg(long, default_value = "flex")]
    device: DeviceKind,
    /// Number of epochs
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Further settings, such as train.adversarial.alpha=0
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

const UNSEEN: [&str; 3] = [
    "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan.",
    "Elena Vasquez, a spokeswoman for the Harbor Institute in Lisbon, said the ferry would sail on Monday.",
    "A gunman shot and killed senator Paul Okafor outside his home in Lagos, Nigeria.",
];

/// Prints one line per epoch.
struct EpochLines;

impl Observer for EpochLines {
    fn epoch(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        let f1 =
            |dev: &cman::scoring::Scores| (100.0 * dev.entities.strict.micro.f1, 100.0 * dev.relations.strict.micro.f1);
        let (entities, relations) = report.dev.as_ref().map(f1).unwrap_or_default();
        let (epoch, seconds) = (report.epoch, report.train_seconds + report.dev_seconds);
        let loss = report.ner_loss + report.re_loss;
        println!(
            "epoch {epoch:3}  loss {loss:8.3}  dev entities {entities:5.2}  relations {relations:5.2}  {seconds:4.1} s"
        );
        Ok(())
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut settings = vec![format!("seed={}", args.seed), format!("train.epochs={}", args.epochs)];
    if args.corpus.is_none() {
        // Small batches give more updates on the small sample corpus.
        settings.push("train.batch_size=8".into());
    }
    settings.extend(args.settings);
    let config = Config::load(None, &settings)?;
    let device = args.device.device()?;
    let splits = match &args.corpus {
        Some(folder) => Splits::read_dir(folder, &config.data.reader())?,
        None => sample::corpus()?,
    };
    let (dev, test) = (splits.dev.unwrap_or_else(|| splits.train.clone()), splits.test);

    let data = TrainingData { schema: &splits.schema, train: &splits.train.sentences, dev: &dev.sentences };
    let trained = Learner::new(config, data, args.vectors.as_deref(), &device)?.run(&mut EpochLines)?;
    println!("\nkept epoch {}", trained.epoch);
    if let Some(test) = test {
        let scores = evaluate(&trained.model, &test.sentences, 32, false)?.scores;
        println!("\ntest ({} sentences)\n{scores}", test.sentences.len());
    }

    let extractor = Extractor::new(trained.model);
    for extraction in extractor.extract_batch(&UNSEEN)?.into_iter().flatten() {
        println!("{}", extraction.text);
        for entity in &extraction.entities {
            println!("  {:<5} {} ({:.2})", entity.kind, entity.text, entity.confidence);
        }
        for relation in &extraction.relations {
            let (head, tail) = (&extraction.entities[relation.head].text, &extraction.entities[relation.tail].text);
            println!("  {}({head}, {tail}) ({:.2})", relation.kind, relation.confidence);
        }
    }
    Ok(())
}
