//! Texts that wait form batches within the budget; nobody waits for what was given up.

use std::{io::Write, thread};

use cman_serve::Settings;
use serde_json::{Value, json};

use crate::{
    client::{JSON, connect, extract, request},
    engines::{Faulty, until},
    running::serve,
};

/// The batches that are read after one that takes long, for requests that arrive meanwhile.
fn batches(settings: Settings, bodies: &[Value]) -> Vec<usize> {
    let engine = Faulty::new();
    let service = serve(engine.clone(), settings);
    let texts: usize = bodies.iter().map(|body| body["texts"].as_array().map_or(1, Vec::len)).sum();
    thread::scope(|scope| {
        let first = scope.spawn(|| extract(service.address, &json!({"text": "WAIT"})));
        engine.until_busy();
        let others: Vec<_> = bodies.iter().map(|body| scope.spawn(|| extract(service.address, body))).collect();
        until(|| service.metric("cman_queue_texts") == texts as f64);
        engine.gate.open();
        assert_eq!(first.join().unwrap().status, 200);
        for other in others {
            assert_eq!(other.join().unwrap().status, 200);
        }
    });
    let mut batches = engine.batches.lock().unwrap().clone();
    assert_eq!(batches.remove(0), 1);
    batches
}

#[test]
fn requests_that_wait_are_read_together() {
    let bodies = vec![json!({"text": "one two"}); 6];
    assert_eq!(batches(Settings::default(), &bodies), [6]);
    let budget = Settings { max_batch_tokens: 4, ..Settings::default() };
    assert_eq!(batches(budget, &bodies), [2, 2, 2]);
    let single = Settings { max_batch_texts: 1, ..Settings::default() };
    assert_eq!(batches(single, &bodies), [1; 6]);
    let large = Settings { max_batch_tokens: 3, ..Settings::default() };
    assert_eq!(batches(large, &[json!({"texts": ["a b c d e f", "a b", "a"]})]), [1, 2]);
}

#[test]
fn other_options_are_another_batch() {
    let with = |threshold: f64| json!({"text": "one", "options": {"entity_threshold": threshold}});
    let mut found = batches(Settings::default(), &[with(0.1), with(0.2), with(0.1), with(0.2), with(0.1)]);
    found.sort_unstable();
    assert_eq!(found, [2, 3]);
}

#[test]
fn a_text_that_panics_fails_alone() {
    let engine = Faulty::new();
    let service = serve(engine.clone(), Settings::default());
    let address = service.address;
    thread::scope(|scope| {
        let first = scope.spawn(move || extract(address, &json!({"text": "WAIT"})));
        engine.until_busy();
        let answers = ["a", "PANIC", "b"].map(|text| scope.spawn(move || extract(address, &json!({"text": text}))));
        until(|| service.metric("cman_queue_texts") == 3.0);
        engine.gate.open();
        assert_eq!(answers.map(|answer| answer.join().unwrap().status), [200, 500, 200]);
        assert_eq!(first.join().unwrap().status, 200);
    });
}

#[test]
fn texts_of_clients_that_have_gone_are_skipped() {
    let engine = Faulty::new();
    let service = serve(engine.clone(), Settings::default());
    thread::scope(|scope| {
        let first = scope.spawn(|| extract(service.address, &json!({"text": "WAIT"})));
        engine.until_busy();
        for sent in 1..=5 {
            let mut stream = connect(service.address);
            stream.write_all(&request("POST", "/extract", &[JSON], br#"{"texts": ["a", "b"]}"#)).unwrap();
            until(|| service.metric("cman_queue_texts") == f64::from(2 * sent));
        }
        // The first request, and that for the metrics.
        until(|| service.metric("cman_requests_in_progress") == 2.0);
        engine.gate.open();
        assert_eq!(first.join().unwrap().status, 200);
    });
    assert_eq!(extract(service.address, &json!({"text": "a"})).status, 200);
    assert_eq!(service.metric("cman_skipped_texts_total"), 10.0);
    assert_eq!(*engine.batches.lock().unwrap(), [1, 1]);
    assert_eq!(service.metric("cman_queue_texts"), 0.0);
}
