//! A service that is told to stop answers what it has accepted.

use std::{io::Write, net::TcpStream, thread, time::Duration};

use cman_serve::Settings;
use serde_json::{Value, json};

use crate::{
    client::{JSON, answer, connect, extract, request},
    engines::{Faulty, until},
    running::serve,
};

#[test]
fn no_accepted_request_is_lost() {
    let engine = Faulty::new();
    let mut service = serve(engine.clone(), Settings::default());
    let address = service.address;
    thread::scope(|scope| {
        let first = scope.spawn(move || extract(address, &json!({"text": "WAIT"})));
        engine.until_busy();
        let others: Vec<_> = (0..30)
            .map(|i| scope.spawn(move || extract(address, &json!({"texts": [format!("Text {i}."), "b"]}))))
            .collect();
        // A stream of which a part has arrived, and a connection without a request.
        let mut stream = connect(address);
        let head = "POST /extract/stream HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(format!("{head}e\r\n{{\"text\": \"a\"}}\n\r\n").as_bytes()).unwrap();
        let idle = connect(address);
        until(|| service.metric("cman_queue_texts") == 61.0);
        service.stop();
        until(|| TcpStream::connect(address).is_err());
        engine.gate.open();
        for other in others {
            let answer = other.join().unwrap();
            assert_eq!((answer.status, answer.json()["documents"].as_array().unwrap().len()), (200, 2));
        }
        assert_eq!(first.join().unwrap().status, 200);
        let lines: Vec<Value> =
            answer(stream).unwrap().text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines[0]["document"].is_object());
        assert_eq!((lines.len(), &lines[1]["error"]["status"]), (2, &503.into()));
        assert!(answer(idle).is_none());
    });
    assert_eq!(service.join().cut, 0);
}

#[test]
fn the_grace_period_is_bounded() {
    let settings = Settings { grace: Duration::from_millis(200), ..Settings::default() };
    let engine = Faulty::new();
    let service = serve(engine.clone(), settings);
    let mut stream = connect(service.address);
    stream.write_all(&request("POST", "/extract", &[JSON], br#"{"text": "WAIT"}"#)).unwrap();
    engine.until_busy();
    assert_eq!(service.join().cut, 1);
    engine.gate.open();
    assert!(answer(stream).is_none());
}
