//! Extraction from many threads, from async tasks and in batches, with one model.
//!
//! `cargo run --example extract` uses the demo model, `cargo run --example extract -- DIR` a model directory or package.

use std::{env, path::Path, thread};

use anyhow::Result;
use cman::{DeviceKind, ExtractOptions, Extractor, GivenEntity, LoadOptions, Model, SignatureFilter};
use tokio::{runtime::Builder, task};

const TEXTS: [&str; 3] = [
    "Maria Keller, a chemist, lives in Oslo, Norway. 🇳🇴 She works for Northwind Energy.",
    "Northwind Energy is based in Hamburg, Germany.",
    "Tomas Varga shot Iosif Mirel in Bucharest.",
];

fn main() -> Result<()> {
    let device = DeviceKind::Flex.device()?;
    let model = match env::args().nth(1) {
        Some(path) => Model::load(Path::new(&path), &device)?,
        None => Model::from_package(cman_demo::PACKAGE, &device, &LoadOptions::default())?,
    };
    let extractor = Extractor::new(model);

    // A batch is the fastest way: the sentences of all texts are computed together, on all cores.
    for (text, document) in TEXTS.iter().zip(extractor.extract_documents(&TEXTS)?) {
        println!("{text}");
        for entity in &document.entities {
            let span = &entity.span;
            println!("  {:5} {:20} bytes {:?}, UTF-16 {:?}", entity.kind, entity.text, span.bytes, span.utf16);
        }
        for relation in &document.relations {
            let [head, tail] = [relation.head, relation.tail].map(|argument| &document.entities[argument].text);
            println!("  {}({head}, {tail}) {:.2}", relation.kind, relation.confidence);
        }
    }

    // Threads share the extractor. Another one with other options shares the model.
    let precise = extractor.with_options(ExtractOptions {
        relation_threshold: Some(0.8),
        signatures: SignatureFilter::Trained,
        ..ExtractOptions::default()
    })?;
    let counts = thread::scope(|scope| {
        let threads = TEXTS.map(|text| scope.spawn(|| precise.extract(text).map(|sentences| sentences.len())));
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<Vec<_>, _>>()
    })?;
    println!("sentences by thread: {counts:?}");

    // Extraction computes, so in async code it runs on a thread for blocking work. A clone shares the model.
    let entities = Builder::new_current_thread().build()?.block_on(async {
        let extractor = extractor.clone();
        task::spawn_blocking(move || extractor.extract_document(TEXTS[0])).await
    })??;
    println!("entities in a task: {}", entities.entities.len());

    // The entities are known, only relations are wanted.
    let given = |kind: &str, start, end| GivenEntity { kind: kind.into(), start, end };
    let document = extractor.relate_document(TEXTS[1], &[given("Org", 0, 16), given("Loc", 29, 36)])?;
    println!("relations between given entities: {}", document.relations.len());
    Ok(())
}
