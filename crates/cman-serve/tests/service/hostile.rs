//! Nothing that a client sends is a failure of the service. `scripts/check_serve.py` does the same for longer.

use std::{io::Write, net::Shutdown, thread, time::Duration};

use cman_serve::Settings;
use serde_json::json;

use crate::{
    client::{JSON, LINES, answer, connect, extract, request},
    engines::extractor,
    running::serve,
};

/// Bodies of many kinds. Numbers that look random, but are the same in every run.
fn body(i: usize) -> Vec<u8> {
    let mut seed = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % n as u64) as usize
    };
    let valid = r#"{"text": "Ada Lovelace lived in London.", "options": {"n_best": 2}, "entities": [{"type": "Loc", "start": 22, "end": 28}]}"#;
    match i % 8 {
        0 => valid.as_bytes()[..next(valid.len())].to_vec(),
        1 => {
            let mut bytes = valid.as_bytes().to_vec();
            for _ in 0..1 + next(4) {
                let at = next(bytes.len());
                bytes[at] = next(256) as u8;
            }
            bytes
        }
        2 => "[".repeat(next(20_000)).into_bytes(),
        3 => format!("{{\"options\": {}1", "{\"signatures\":".repeat(next(3000))).into_bytes(),
        4 => (0..next(3000)).map(|_| next(256) as u8).collect(),
        5 => json!({"text": next(9), "texts": {"a": null}, "options": [next(5)]}).to_string().into_bytes(),
        6 => json!({"text": "x".repeat(300_000 + next(1000))}).to_string().into_bytes(),
        _ => {
            let (start, end) = (next(1 << 40), next(1 << 40));
            json!({"text": "a b c", "entities": [{"type": "Loc", "start": start, "end": end}]}).to_string().into_bytes()
        }
    }
}

#[test]
fn malformed_requests_are_errors_of_the_client() {
    let settings = Settings {
        max_body: 200_000,
        client_timeout: Duration::from_millis(300),
        header_timeout: Duration::from_millis(300),
        ..Settings::default()
    };
    let service = serve(extractor(), settings);
    let address = service.address;
    thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for i in (part..1200).step_by(4) {
                    let is_stream = i % 11 == 0;
                    let (path, kind) = if is_stream { ("/extract/stream", LINES) } else { ("/extract", JSON) };
                    let bytes = request("POST", path, &[kind], &body(i));
                    let mut stream = connect(address);
                    // Some clients leave in the middle, and some stop sending.
                    let whole = match i % 17 {
                        3 => bytes.len() / 2,
                        _ => bytes.len(),
                    };
                    let _ = stream.write_all(&bytes[..whole]);
                    if i % 13 == 5 {
                        let _ = stream.shutdown(Shutdown::Both);
                        continue;
                    }
                    if let Some(answer) = answer(stream) {
                        assert!(answer.status < 500, "{i}: {}", answer.text());
                    }
                }
            });
        }
    });
    assert_eq!(extract(address, &json!({"text": "Still here."})).status, 200);
    assert_eq!(service.metric("cman_panics_total"), 0.0);
    assert_eq!(service.metric("cman_queue_texts"), 0.0);
}
