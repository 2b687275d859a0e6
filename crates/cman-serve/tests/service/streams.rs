//! Streams: order, bad lines, back-pressure.

use std::{
    io::{BufRead, BufReader, Read, Write},
    thread,
    time::Duration,
};

use cman_serve::Settings;
use serde_json::{Value, json};

use crate::{
    client::{LINES, connect, send},
    engines::{Faulty, TEXT, extractor},
    running::{plain, serve},
};

/// The lines that answer these lines.
fn stream(address: std::net::SocketAddr, body: &[u8]) -> Vec<Value> {
    let answer = send(address, "POST", "/extract/stream", &[LINES], body);
    assert_eq!((answer.status, &*answer.headers["content-type"]), (200, "application/x-ndjson"));
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn answers_come_in_order_and_equal_the_library() {
    let (service, extractor) = (plain(), extractor());
    let texts: Vec<String> = (0..200).map(|i| format!("{TEXT} Number {i}.").repeat(1 + i % 3)).collect();
    let body: String =
        texts.iter().enumerate().map(|(i, text)| format!("{}\n", json!({"id": i, "text": text}))).collect();
    let lines = stream(service.address, body.as_bytes());
    assert_eq!(lines.len(), 200);
    for (i, (line, text)) in lines.iter().zip(&texts).enumerate() {
        assert_eq!((&line["line"], &line["id"]), (&(i + 1).into(), &i.into()));
        let expected = extractor.extract_document(text).unwrap();
        assert_eq!(line["document"]["entities"].as_array().unwrap().len(), expected.entities.len());
    }
    assert_eq!(service.metric("cman_stream_lines_total{result=\"document\"}"), 200.0);
}

#[test]
fn a_bad_line_is_an_error_and_the_stream_goes_on() {
    let settings = Settings { max_body: 1000, ..Settings::default() };
    let service = serve(extractor(), settings);
    let long = format!("{}\n", json!({"text": "a".repeat(2000)}));
    let body = [
        b"{\"text\": \"a\", \"id\": {\"x\": [1]}}\n\n{\"text\": 3}\n{\"text\": \"\xff\"}\nnonsense\n".as_slice(),
        long.as_bytes(),
        b"{\"id\": \"k\", \"text\": \"b\", \"options\": {\"n_best\": 99}}\r\n{\"text\": \"last\"}",
    ]
    .concat();
    let lines = stream(service.address, &body);
    let status = |line: &Value| line["error"]["status"].as_u64().unwrap_or(200);
    let found: Vec<_> = lines.iter().map(|line| (line["line"].as_u64().unwrap(), status(line))).collect();
    assert_eq!(found, [(1, 200), (3, 422), (4, 400), (5, 400), (6, 413), (7, 422), (8, 200)]);
    assert_eq!(lines[0]["id"], json!({"x": [1]}));
    assert_eq!((&lines[5]["id"], &lines[5]["error"]["field"]), (&"k".into(), &"options.n_best".into()));
    assert_eq!(stream(service.address, b""), [] as [Value; 0]);
}

#[test]
fn a_panic_in_a_stream_is_an_error_line() {
    let service = serve(Faulty::new(), Settings::default());
    let lines = stream(service.address, b"{\"text\": \"a\"}\n{\"text\": \"PANIC\"}\n{\"text\": \"b\"}\n");
    let errors: Vec<_> = lines.iter().map(|line| line["error"]["status"].as_u64()).collect();
    assert_eq!(errors, [None, Some(500), None]);
}

#[test]
fn an_answer_does_not_wait_for_the_next_line() {
    let service = plain();
    let mut stream = connect(service.address);
    let head = "POST /extract/stream HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    for i in 1..=3 {
        let line = format!("{}\n", json!({"text": "a", "id": i}));
        stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes()).unwrap();
        let mut answer = String::new();
        while !answer.starts_with('{') {
            answer.clear();
            assert!(reader.read_line(&mut answer).unwrap() > 0);
        }
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["id"], i);
    }
}

#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let settings = Settings { stream_window: 4, client_timeout: Duration::from_millis(1500), ..Settings::default() };
    let service = serve(extractor(), settings);
    let mut stream = connect(service.address);
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let head = "POST /extract/stream HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    // The answer repeats the id, so that answers soon fill the buffers of the system.
    let line = format!("{}\n", json!({"text": "a", "id": "x".repeat(50_000)}));
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    let mut sent = 0;
    while sent < 10_000 && stream.write_all(chunk.as_bytes()).is_ok() {
        sent += 1;
    }
    assert!(sent < 10_000, "the service read everything without being read");
    // After its pause the connection is closed.
    thread::sleep(Duration::from_millis(3000));
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"));
}
