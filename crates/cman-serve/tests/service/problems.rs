//! Every error has its status and says what was expected.

use std::{io::Write, thread, time::Duration};

use cman_serve::Settings;
use serde_json::json;

use crate::{
    client::{self, JSON, LINES, answer, connect, extract, get, send},
    engines::{Faulty, extractor, until},
    running::{plain, serve},
};

#[test]
fn bodies_that_are_wrong() {
    let service = plain();
    let post = |body: &[u8]| send(service.address, "POST", "/extract", &[JSON], body);
    assert_eq!(post(b"").problem(400), "expected a JSON object, found nothing");
    let broken = post(b"{\"text\":\n\"a\" \"b\"}");
    assert_eq!(broken.problem(400), "line 2, column 5: expected JSON: expected `,` or `}`");
    assert_eq!((&broken.json()["line"], &broken.json()["column"]), (&2.into(), &5.into()));
    let range = post(br#"{"text": "a", "options": {"entity_threshold": 7}}"#);
    assert_eq!(range.problem(422), "options.entity_threshold: expected a number from 0 to 1, found 7");
    assert_eq!(range.json()["field"], "options.entity_threshold");
    for (body, detail) in [
        (&br#"{}"#[..], "text: expected `text` or `texts`, found neither"),
        (br#"{"text": "a", "texts": ["b"]}"#, "texts: expected `text` or `texts`, found both"),
        (br#"{"texts": []}"#, "texts: expected at least one text, found none"),
        (br#"{"texts": ["a", "b"], "entities": []}"#, "texts: expected one text if entities are given, found 2"),
        (
            br#"{"text": "a", "options": {"max_tokens": 9999}}"#,
            "options.max_tokens: expected at most 512 (--max-sentence-tokens), found 9999",
        ),
        (
            br#"{"text": "a", "options": {"signatures": {"only": [{"head": "X", "type": "Y", "tail": "Z"}]}}}"#,
            "options.signatures: expected types of the model, found Y(X, Z)",
        ),
    ] {
        assert_eq!(post(body).problem(422), detail);
    }
    let ended = send(service.address, "POST", "/extract", &[("Content-Type", "text/plain")], b"hello");
    assert_eq!(ended.problem(415), "expected the content type application/json, found `text/plain`");
    let none = send(service.address, "POST", "/extract/stream", &[], b"{}");
    assert_eq!(none.problem(415), "expected the content type application/x-ndjson, found none");
    assert_eq!(
        send(
            service.address,
            "POST",
            "/extract",
            &[("Content-Type", "Application/JSON; charset=utf-8")],
            br#"{"text": "a"}"#
        )
        .status,
        200
    );
}

#[test]
fn routes_and_methods_that_are_not_there() {
    let service = plain();
    assert_eq!(get(service.address, "/extrakt").problem(404), "no route /extrakt; /openapi.json lists all");
    let method = get(service.address, "/extract");
    assert!(method.problem(405).starts_with("/extract does not take GET"));
    assert_eq!(method.headers["allow"], "POST");
    assert_eq!(send(service.address, "DELETE", "/info", &[], b"").headers["allow"], "GET,HEAD");
}

#[test]
fn sizes_are_limited() {
    let settings = Settings { max_body: 400, max_texts: 2, max_text_chars: 50, ..Settings::default() };
    let service = serve(extractor(), settings);
    let many = extract(service.address, &json!({"texts": ["a", "b", "c"]}));
    assert_eq!(many.problem(413), "texts: expected at most 2 texts (--max-texts), found 3");
    let long = extract(service.address, &json!({"texts": ["a", "é".repeat(51)]}));
    assert_eq!(long.problem(413), "texts[1]: expected at most 50 characters (--max-text-chars), found 51");
    assert_eq!(extract(service.address, &json!({"text": "é".repeat(50)})).status, 200);
    let large = extract(service.address, &json!({"text": "a".repeat(500)}));
    assert_eq!(large.problem(413), "expected a body of at most 400 bytes (--max-body)");
    // A body whose size is not announced.
    let mut stream = connect(service.address);
    let head = "POST /extract HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("1f4\r\n{}\r\n0\r\n\r\n", "a".repeat(500));
    stream.write_all(format!("{head}{chunk}").as_bytes()).unwrap();
    assert_eq!(answer(stream).unwrap().problem(413), "expected a body of at most 400 bytes (--max-body)");
}

#[test]
fn slow_clients_and_slow_models() {
    let settings = Settings {
        header_timeout: Duration::from_millis(200),
        client_timeout: Duration::from_millis(200),
        request_timeout: Duration::from_millis(300),
        ..Settings::default()
    };
    let engine = Faulty::new();
    let service = serve(engine.clone(), settings);
    // The head does not arrive.
    let mut stream = connect(service.address);
    stream.write_all(b"POST /extract HT").unwrap();
    let head = answer(stream);
    assert!(head.is_none_or(|answer| answer.status == 408));
    // The body does not arrive.
    let mut stream = connect(service.address);
    stream
        .write_all(b"POST /extract HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    assert_eq!(answer(stream).unwrap().problem(408), "the body did not arrive within 0.2 s");
    let late = extract(service.address, &json!({"text": "WAIT"}));
    assert_eq!(late.problem(504), "there was no answer within 0.3 s (--request-timeout)");
    assert!(late.headers.contains_key("retry-after"));
    // In a stream, each line has the time of a request.
    let line = send(service.address, "POST", "/extract/stream", &[LINES], b"{\"text\": \"WAIT\"}\n");
    assert_eq!((line.status, &line.json()["error"]["status"]), (200, &504.into()));
    engine.gate.open();
}

#[test]
fn requests_at_a_time_and_texts_in_the_queue_are_limited() {
    let settings = Settings { max_concurrent_requests: 2, max_queue: 3, max_texts: 3, ..Settings::default() };
    for (texts, settings) in [(3, settings.clone()), (2, Settings { max_concurrent_requests: 9, ..settings })] {
        let engine = Faulty::new();
        let service = serve(engine.clone(), settings);
        let address = service.address;
        thread::scope(|scope| {
            let first = scope.spawn(|| extract(address, &json!({"text": "WAIT"})));
            engine.until_busy();
            let second = scope.spawn(|| extract(address, &json!({"texts": vec!["a"; texts]})));
            until(|| service.metric("cman_queue_texts") == texts as f64);
            let third = extract(address, &json!({"texts": ["a", "b"]}));
            assert_eq!(third.headers["retry-after"], "1");
            if texts == 3 {
                assert!(third.problem(429).contains("--max-concurrent-requests"));
            } else {
                assert_eq!(third.problem(503), "too many texts are waiting (--max-queue)");
            }
            // Others than extraction are not limited.
            assert_eq!(get(address, "/health").status, 200);
            engine.gate.open();
            assert_eq!((first.join().unwrap().status, second.join().unwrap().status), (200, 200));
        });
    }
}

#[test]
fn a_panic_fails_one_request_and_the_service_goes_on() {
    let service = serve(Faulty::new(), Settings::default());
    for text in ["PANIC", "EARLY", &"EARLY ".repeat(5000)] {
        let failed = extract(service.address, &json!({"text": text}));
        assert_eq!(failed.problem(500), "the service failed on this request; its log says where");
        assert_eq!(extract(service.address, &json!({"text": "a"})).status, 200);
    }
    assert_eq!(service.metric("cman_panics_total"), 1.0);
    assert_eq!(get(service.address, "/health/live").status, 200);
}

#[test]
fn what_is_no_http_gets_a_400() {
    let service = plain();
    for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"[..], b"GET\r\n\r\n", b"nonsense\r\n\r\n"] {
        let mut stream = connect(service.address);
        stream.write_all(bytes).unwrap();
        assert_eq!(client::answer(stream).unwrap().status, 400);
    }
}
