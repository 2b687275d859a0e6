//! Trains on a corpus with custom types: products and the companies that make them.
//!
//! `cargo run --example own_corpus`

use anyhow::Result;
use cman::{Config, DeviceKind, Entity, Extractor, Learner, Relation, Schema, Sentence, TrainingData};

/// Generates sentences from templates. `Splits::read_dir` reads a real corpus.
fn sentences() -> Vec<Sentence> {
    let makers = ["Acme", "Globex", "Initech", "Umbra", "Vandelay", "Hooli", "Stark", "Wayne"];
    let products = ["Rocket", "Anvil", "Printer", "Lamp", "Latex", "Phone", "Reactor", "Cape"];
    let mut sentences = Vec::new();
    for (i, maker) in makers.iter().enumerate() {
        for (j, product) in products.iter().enumerate() {
            let id = format!("{i}-{j}");
            let (tokens, maker_at, product_at) = match (i + j) % 3 {
                0 => (vec![*maker, "sells", "the", product, "."], 0, 3),
                1 => (vec!["The", product, "is", "made", "by", maker, "."], 5, 1),
                _ => (vec![*maker, "'s", product, "is", "new", "."], 0, 2),
            };
            let mut sentence = Sentence::from_tokens(id, tokens);
            sentence.entities = vec![
                Entity::new("Company", maker_at..maker_at + 1),
                Entity::new("Product", product_at..product_at + 1),
            ];
            sentence.relations = vec![Relation::new("Makes", 0, 1)];
            sentences.push(sentence);
        }
    }
    sentences
}

fn main() -> Result<()> {
    let schema =
        Schema { entities: ["Company", "Product"].into_iter().collect(), relations: ["Makes"].into_iter().collect() };
    let (dev, train): (Vec<_>, Vec<_>) = sentences().into_iter().enumerate().partition(|(i, _)| i % 9 == 4);
    let [dev, train] = [dev, train].map(|part| part.into_iter().map(|(_, sentence)| sentence).collect::<Vec<_>>());

    // Small widths and few epochs are enough for this task.
    let settings = [
        "train.learning_rate=0.005",
        "model.hidden=16",
        "model.relation.hidden=16",
        "train.epochs=15",
        "train.batch_size=8",
    ];
    let config = Config::load(None, &settings.map(String::from))?;
    let data = TrainingData { schema: &schema, train: &train, dev: &dev };
    let trained = Learner::new(config, data, None, &DeviceKind::Flex.device()?)?.run(&mut ())?;
    if let Some(dev) = &trained.dev {
        println!("epoch {}\n{dev}", trained.epoch);
    }

    for extraction in Extractor::new(trained.model).extract("Hooli sells the Lamp. The Gadget is made by Acme.")? {
        for relation in &extraction.relations {
            let (head, tail) = (&extraction.entities[relation.head], &extraction.entities[relation.tail]);
            println!("{}({}, {}) {:.2}", relation.kind, head.text, tail.text, relation.confidence);
        }
    }
    Ok(())
}
