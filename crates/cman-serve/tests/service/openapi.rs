//! The description says what answers look like.

use serde_json::{Value, json};

use crate::{
    client::{LINES, extract, get, send},
    engines::TEXT,
    running::plain,
};

/// Compares a value with its schema: types, required and unknown keys.
fn check(api: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return check(api, &api["components"]["schemas"][name], value, at);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let resolved = parts.iter().map(|part| match part["$ref"].as_str() {
            Some(name) => &api["components"]["schemas"][name.rsplit('/').next().unwrap()],
            None => part,
        });
        let properties: Vec<_> = resolved.filter_map(|part| part["properties"].as_object()).flatten().collect();
        let properties: Value = properties.into_iter().map(|(key, inner)| (key.clone(), inner.clone())).collect();
        return check(api, &json!({"type": "object", "properties": properties}), value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let is_null = |choice: &Value| choice["type"] == "null";
        let choice = choices.iter().find(|choice| is_null(choice) == value.is_null());
        return check(api, choice.unwrap_or_else(|| panic!("{at}: {schema}")), value, at);
    }
    let is =
        |kind: &str| schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.contains(&kind.into()));
    match value {
        Value::Object(members) => {
            for key in schema["required"].as_array().into_iter().flatten() {
                assert!(members.contains_key(key.as_str().unwrap()), "{at} has no {key}");
            }
            for (key, member) in members {
                let inner = &schema["properties"][key];
                assert!(inner.is_object(), "{at}.{key} is not described");
                check(api, inner, member, &format!("{at}.{key}"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check(api, &schema["items"], item, at)),
        Value::Number(number) => assert!(is("number") || (is("integer") && number.is_u64()), "{at}: {schema}"),
        Value::String(_) => assert!(is("string"), "{at}: {schema}"),
        _ => {}
    }
}

#[test]
fn answers_are_described() {
    let service = plain();
    let api = get(service.address, "/openapi.json").json();
    let schema = |path: &str, method: &str, status: &str, kind: &str| {
        let schema = &api["paths"][path][method]["responses"][status]["content"][kind]["schema"];
        assert!(schema.is_object(), "{path} {status}");
        schema.clone()
    };
    let found =
        extract(service.address, &json!({"text": TEXT, "options": {"n_best": 2, "relation_threshold": 0.01}})).json();
    let document = &found["documents"][0];
    assert!(["entities", "relations", "sentences"].iter().all(|key| !document[key].as_array().unwrap().is_empty()));
    check(&api, &schema("/extract", "post", "200", "application/json"), &found, "extract");
    let problem = extract(service.address, &json!({"text": 7})).json();
    check(&api, &schema("/extract", "post", "422", "application/problem+json"), &problem, "problem");
    let lines = send(service.address, "POST", "/extract/stream", &[LINES], b"{\"text\": \"a\"}\n{}\n").text();
    for line in lines.lines() {
        let line = serde_json::from_str(line).unwrap();
        check(&api, &schema("/extract/stream", "post", "200", "application/x-ndjson"), &line, "stream");
    }
    for path in ["/info", "/health", "/health/live"] {
        let answer = get(service.address, path).json();
        check(&api, &schema(path, "get", "200", "application/json"), &answer, path);
    }
    assert_eq!(api["paths"].as_object().unwrap().len(), 6);
}
