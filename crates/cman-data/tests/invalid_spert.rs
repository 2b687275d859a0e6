//! Invalid SpERT JSON, with its error messages.

use cman_data::{DataError, LabelSet, OnError, OverlapPolicy, ReaderBuilder, Relation, Report, Schema, Sentence};

fn read(builder: &ReaderBuilder, bytes: &[u8]) -> Result<(Vec<Sentence>, Report), DataError> {
    let mut reader = builder.from_reader(bytes, "a.json")?;
    let sentences = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((sentences, reader.into_parts().1))
}

fn message(builder: &ReaderBuilder, json: impl AsRef<[u8]>) -> String {
    read(builder, json.as_ref()).unwrap_err().to_string()
}

/// A file with a valid record and a record with these entities and relations.
fn annotated(entities: &str, relations: &str) -> String {
    format!(
        r#"[{{"tokens": ["x"], "entities": [], "relations": [], "orig_id": 1}},
{{"tokens": ["a", "b", "c"], "entities": [{entities}], "relations": [{relations}], "orig_id": "two"}}]"#
    )
}

const ONE: &str = r#"{"type": "X", "start": 0, "end": 1}"#;
const TWO: &str = r#"{"type": "X", "start": 0, "end": 1}, {"type": "Y", "start": 1, "end": 3}"#;

#[test]
fn annotation_that_does_not_match_the_tokens() {
    let schema = Schema { entities: LabelSet::from_iter(["X", "Y"]), relations: LabelSet::from_iter(["R"]) };
    let fixed = ReaderBuilder::new().schema(schema);
    let relation = |head: &str, tail: &str| format!(r#"{{"type": "R", "head": {head}, "tail": {tail}}}"#);
    for (entities, relations, message) in [
        (
            r#"{"type": "X", "start": 0, "end": 4}"#.to_owned(),
            String::new(),
            "entities[0].end: expected at most 3 (the number of tokens), found 4",
        ),
        (
            r#"{"type": "X", "start": 7, "end": 9}"#.to_owned(),
            String::new(),
            "entities[0].end: expected at most 3 (the number of tokens), found 9",
        ),
        (
            format!(r#"{ONE}, {{"type": "X", "start": 2, "end": 2}}"#),
            String::new(),
            "entities[1].end: expected more than 2 (the start), found 2",
        ),
        (
            r#"{"type": "X", "start": 2, "end": 1}"#.to_owned(),
            String::new(),
            "entities[0].end: expected more than 2 (the start), found 1",
        ),
        (
            r#"{"type": "Z", "start": 0, "end": 1}"#.to_owned(),
            String::new(),
            r#"entities[0].type: expected one of the types X, Y, found "Z""#,
        ),
        (
            TWO.to_owned(),
            relation("0", "2"),
            "relations[0].tail: expected less than 2 (the number of entities), found 2",
        ),
        (
            TWO.to_owned(),
            relation("5", "1"),
            "relations[0].head: expected less than 2 (the number of entities), found 5",
        ),
        (TWO.to_owned(), relation("1", "1"), "relations[0].tail: expected an entity other than the head, found 1"),
        (
            TWO.to_owned(),
            r#"{"type": "S", "head": 0, "tail": 1}"#.to_owned(),
            r#"relations[0].type: expected one of the types R, found "S""#,
        ),
    ] {
        let error = read(&fixed, annotated(&entities, &relations).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), format!("a.json: record 2, {message}"));
        assert_eq!((error.record(), error.line()), (Some(2), None));
    }
    let open = ReaderBuilder::new();
    assert_eq!(
        message(&open, annotated(r#"{"type": "", "start": 0, "end": 1}"#, "")),
        "a.json: record 2, entities[0].type: expected a non-empty type, found \"\""
    );
    let empty = ReaderBuilder::new().schema(Schema::default());
    assert_eq!(
        message(&empty, annotated(ONE, "")),
        "a.json: record 2, entities[0].type: expected no annotation of this kind (the schema has no types for it), \
         found \"X\""
    );
}

#[test]
fn values_of_the_wrong_type() {
    for (entity, message) in [
        (
            r#"{"type": "X", "start": -1, "end": 1}"#,
            "column 66, entities[0].start: expected a non-negative integer, found integer `-1`",
        ),
        (
            r#"{"type": "X", "start": 0, "end": 1e30}"#,
            "column 78, entities[0].end: expected a non-negative integer, found floating point `1e+30`",
        ),
        (
            r#"{"type": "X", "start": 0, "end": 1.0}"#,
            "column 77, entities[0].end: expected a non-negative integer, found floating point `1.0`",
        ),
        (
            r#"{"type": "X", "start": 0, "end": 99999999999999999999999}"#,
            "column 97, entities[0].end: expected a non-negative integer, found floating point `1e+23`",
        ),
        (r#"{"type": "X", "start": 0, "end": 1e999}"#, "column 79, entities[0].end: number out of range"),
        (
            r#"{"type": "X", "start": "0", "end": 1}"#,
            "column 67, entities[0].start: expected a non-negative integer, found string \"0\"",
        ),
        (
            r#"{"type": "X", "start": null, "end": 1}"#,
            "column 68, entities[0].start: expected a non-negative integer, found null",
        ),
        (r#"{"type": 3, "start": 0, "end": 1}"#, "column 51, entities[0].type: expected a string, found integer `3`"),
        (r#"{"type": "X", "start": 0}"#, "column 66, entities[0]: missing field `end`"),
        (r#"{"type": "X", "start": 0, "end": 1, "end": 1}"#, "column 82, entities[0]: duplicate field `end`"),
    ] {
        let json = annotated(entity, "");
        let error = read(&ReaderBuilder::new(), json.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), format!("a.json: record 2, line 2, {message}"), "{entity}");
        assert_eq!(error.line(), Some(2));
    }
    let largest = r#"{"type": "X", "start": 0, "end": 18446744073709551615}"#;
    assert_eq!(
        message(&ReaderBuilder::new(), annotated(largest, "")),
        "a.json: record 2, entities[0].end: expected at most 3 (the number of tokens), found 18446744073709551615"
    );
}

#[test]
fn records_with_the_wrong_structure() {
    let builder = ReaderBuilder::new();
    for (json, expected) in [
        (r#"[{"tokens": []}]"#, "record 1, tokens: expected at least one token, found none"),
        (r#"[{"tokens": ["a", ""]}]"#, "record 1, tokens[1]: expected a non-empty token, found \"\""),
        (
            r#"[{"tokens": ["a\u0000b"]}]"#,
            r#"record 1, tokens[0]: expected text without null characters, found "a\0b""#,
        ),
        (
            "[{\"tokens\": [\"a\0b\"]}]",
            "record 1, line 1, column 16, tokens[0]: control character (\\u0000-\\u001F) found while parsing a string",
        ),
        (r#"[{"entities": []}]"#, "record 1, line 1, column 17: missing field `tokens`"),
        (r#"[{"tokens": ["a"], "tokens": ["b"]}]"#, "record 1, line 1, column 27: duplicate field `tokens`"),
        (r#"[{"tokens": "a b"}]"#, "record 1, line 1, column 17, tokens: expected an array, found string \"a b\""),
        (
            r#"[{"tokens": ["a"], "orig_id": [1]}]"#,
            "record 1, line 1, column 34, orig_id: expected a number or a string, found an array",
        ),
        (r#"[{"tokens": ["a"] "x": 1}]"#, "record 1, line 1, column 19: expected `,` or `}`"),
        (r#"[{"tokens": ["a"}]]"#, "record 1, line 1, column 17, tokens: expected `,` or `]`"),
        (r#"[{"tokens": ["\ud800"]}]"#, "record 1, line 1, column 21, tokens[0]: unexpected end of hex escape"),
    ] {
        assert_eq!(message(&builder, json), format!("a.json: {expected}"), "{json}");
    }
}

#[test]
fn damaged_files_are_errors_even_if_invalid_records_are_skipped() {
    for (json, expected) in [
        ("", "no sentences (0 records read)"),
        (" \r\n\t", "no sentences (0 records read)"),
        ("[]", "no sentences (0 records read)"),
        ("[", "line 1, column 2: expected `{`, the start of a record, found the end of the file"),
        (
            "tokens",
            "line 1, column 1: expected a corpus (SpERT's JSON array or JSON lines, a multi-head table, tagged columns), \
             found \"t\"",
        ),
        (r#"[{"tokens": ["a"]}, 5]"#, "line 1, column 21: expected `{`, the start of a record, found \"5\""),
        (r#"[{"tokens": ["a"]},]"#, "line 1, column 20: expected `{`, the start of a record, found \"]\""),
        (r#"[{"tokens": ["a"]} {}]"#, "line 1, column 20: expected `,` or `]` after a record, found \"{\""),
        ("[{\"tokens\": [\"a\"]}", "line 1, column 19: expected `,` or `]` after a record, found the end of the file"),
        ("[{\"tokens\": [\"a\"]}\n]\n x", "line 3, column 2: expected nothing after the array, found \"x\""),
        (
            "[{\"tokens\": [\"a\"]},\n{\"tokens\": [\"a",
            "line 2, column 15: expected the rest of the record, found the end of the file",
        ),
    ] {
        for on_error in [OnError::Refuse, OnError::Skip] {
            let builder = ReaderBuilder::new().on_error(on_error);
            assert_eq!(message(&builder, json), format!("a.json: {expected}"), "{json}");
        }
    }
    assert_eq!(message(&ReaderBuilder::new(), b"\xEF\xBB["), "a.json: line 1, column 1: not UTF-8");
    assert_eq!(
        message(&ReaderBuilder::new(), b"\xFF\xFE[\0"),
        "a.json: expected a corpus (SpERT's JSON array or JSON lines, a multi-head table, tagged columns), found text in \
         UTF-16"
    );
}

#[test]
fn invalid_utf8() {
    let bytes = b"[{\"tokens\": [\"a\"]},\n{\"tokens\":\n [\"b\xFF\"]}]";
    assert_eq!(message(&ReaderBuilder::new(), bytes), "a.json: record 2, line 3, column 5: not UTF-8");
    let bytes = b"[{\"tokens\": [\"a\"], \"note\": \"\xC3\"}]";
    assert_eq!(message(&ReaderBuilder::new(), bytes), "a.json: record 1, line 1, column 29: not UTF-8");
}

#[test]
fn a_byte_order_mark_and_any_white_space_are_accepted() {
    let json =
        "\u{FEFF}\r\n [\r\n {\"tokens\": [\"[\\\"{\\\\\", \"}\"]}\r\n ,\t{\"tokens\": [\"b\"], \"other\": [{}]} ] \r\n";
    let (sentences, report) = read(&ReaderBuilder::new(), json.as_bytes()).unwrap();
    assert_eq!(sentences[0].words().collect::<Vec<_>>(), ["[\"{\\", "}"]);
    assert_eq!((sentences[0].id.as_str(), sentences[1].id.as_str()), ("1", "2"));
    assert_eq!((report.sentences, report.unannotated), (2, 2));
}

#[test]
fn ids_are_integers_or_strings() {
    let json = r#"[{"tokens": ["a"], "orig_id": -7}, {"tokens": ["a"], "orig_id": "x y"}, {"tokens": ["a"], "orig_id": null},
        {"tokens": ["a"], "orig_id": 18446744073709551615}, {"tokens": ["a"], "orig_id": "-7"}]"#;
    let (sentences, report) = read(&ReaderBuilder::new(), json.as_bytes()).unwrap();
    let ids: Vec<_> = sentences.iter().map(|sentence| sentence.id.as_str()).collect();
    assert_eq!(ids, ["-7", "x y", "3", "18446744073709551615", "-7"]);
    assert_eq!(report.repeated_ids, 1);
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = format!(r#"[{{"tokens": ["a"], "x": {}{}}}]"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
    let error = read(&ReaderBuilder::new(), deep.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "a.json: record 1, line 1, column 2: nested deeper than 128 levels");
    let skip = ReaderBuilder::new().on_error(OnError::Skip);
    let json = format!("{},{}", &deep[..deep.len() - 1], r#"{"tokens": ["b"]}]"#);
    assert_eq!(read(&skip, json.as_bytes()).unwrap().1.skipped, 1);
}

#[test]
fn long_records_are_errors_before_they_are_read_into_memory() {
    let long = format!(r#"[{{"tokens": ["{}"]}}, {{"tokens": ["b"]}}]"#, "a".repeat(1000));
    let builder = ReaderBuilder::new().max_record_bytes(100);
    let expected = "a.json: record 1, line 1, column 2: longer than the limit of 100 bytes";
    assert_eq!(message(&builder, &long), expected);
    let (sentences, report) = read(&builder.clone().on_error(OnError::Skip), long.as_bytes()).unwrap();
    assert_eq!((sentences.len(), report.records), (1, 2));
    assert_eq!(report.reasons.groups()[0].first, expected);
    let exact = r#"[{"tokens": ["b"]}]"#;
    assert!(read(&ReaderBuilder::new().max_record_bytes(exact.len() - 2), exact.as_bytes()).is_ok());
    assert!(read(&ReaderBuilder::new().max_record_bytes(exact.len() - 3), exact.as_bytes()).is_err());
}

#[test]
fn invalid_records_are_skipped_and_reported() {
    let json = format!(
        r#"[{{"tokens": []}}, {{"tokens": ["a"], "entities": [{TWO}]}}, {{"tokens": 5}},
        {{"tokens": ["a", "b"], "entities": [{TWO}]}},
        {{"tokens": ["good"], "entities": []}}]"#
    );
    let skip = ReaderBuilder::new().on_error(OnError::Skip);
    let (sentences, report) = read(&skip, json.as_bytes()).unwrap();
    assert_eq!(sentences.len(), 1);
    assert_eq!((report.records, report.sentences, report.skipped, report.left_out()), (5, 1, 4, 4));
    let first = "\n  a.json: record 1, tokens: expected at least one token, found none";
    let group = "2 records, the first is ";
    let end = "a.json: record 2, entities[1].end: expected at most 1 (the number of tokens), found 3";
    let number = "\n  a.json: record 3, line 1, column 136, tokens: expected an array, found integer `5`";
    let head = "1 sentences from 5 records\n4 invalid records skipped";
    assert_eq!(report.to_string(), format!("{head}{first}\n  {group}{end}{number}"));
    let (_, report) = read(&skip.clone().all_messages(), json.as_bytes()).unwrap();
    let second = end.replace("record 2", "record 4").replace("most 1", "most 2");
    assert_eq!(report.messages.len(), 4);
    assert_eq!(report.to_string(), format!("{head}{first}\n  {end}{number}\n  {second}"));
}

#[test]
fn the_reasons_are_given_if_every_record_is_invalid() {
    let skip = ReaderBuilder::new().on_error(OnError::Skip);
    let many = format!("[{}]", vec!["{}"; 30].join(","));
    assert_eq!(
        message(&skip, &many),
        "a.json: no sentences (30 records read): 30 records, the first is a.json: record 1, line 1, column 3: missing \
         field `tokens`"
    );
    let dropped = format!(r#"[{{"tokens": ["a"], "entities": [{ONE}, {{"type": "Z", "start": 0, "end": 1}}]}}]"#);
    assert_eq!(
        message(&skip.overlap(OverlapPolicy::Drop), &dropped),
        "a.json: no sentences (1 records read, 1 dropped because of overlapping entities)"
    );
}

#[test]
fn duplicates_are_merged_and_counted() {
    let json = format!(
        r#"[{{"tokens": ["a", "b", "c"], "entities": [{ONE}, {ONE}, {{"type": "Y", "start": 2, "end": 3}}], "relations": [
            {{"type": "R", "head": 0, "tail": 2}}, {{"type": "R", "head": 1, "tail": 2}}]}}]"#
    );
    let (sentences, report) = read(&ReaderBuilder::new(), json.as_bytes()).unwrap();
    assert_eq!((sentences[0].entities.len(), &sentences[0].relations[..]), (2, &[Relation::new("R", 0, 1)][..]));
    assert_eq!(
        report.to_string(),
        "1 sentences from 1 records\n1 entities listed twice, merged\n1 relations listed twice, merged"
    );
}

#[test]
fn contradictions_are_refused() {
    let types = format!(r#"[{{"tokens": ["a"], "entities": [{ONE}, {{"type": "Z", "start": 0, "end": 1}}]}}]"#);
    assert_eq!(
        message(&ReaderBuilder::new(), &types),
        r#"a.json: record 1, entities[1].type: expected the type "X" of entities[0], which has the same tokens, found "Z""#
    );
    let itself = format!(
        r#"[{{"tokens": ["a"], "entities": [{ONE}, {ONE}], "relations": [{{"type": "R", "head": 0, "tail": 1}}]}}]"#
    );
    assert_eq!(
        message(&ReaderBuilder::new(), &itself),
        "a.json: record 1, relations[0].tail: expected an entity other than the head, found 0"
    );
}

#[test]
fn the_policy_for_overlaps_is_applied() {
    let nested = r#"{"type": "X", "start": 0, "end": 3}, {"type": "Y", "start": 2, "end": 3}"#;
    let json = annotated(nested, "");
    let (sentences, report) = read(&ReaderBuilder::new(), json.as_bytes()).unwrap();
    assert_eq!((sentences.len(), report.overlapping_sentences, report.dropped_overlapping), (2, 1, 0));
    let drop = ReaderBuilder::new().overlap(OverlapPolicy::Drop);
    let (sentences, report) = read(&drop, json.as_bytes()).unwrap();
    assert_eq!((sentences.len(), report.overlapping_sentences, report.dropped_overlapping), (1, 1, 1));
    let refuse = ReaderBuilder::new().overlap(OverlapPolicy::Refuse);
    assert_eq!(
        message(&refuse, &json),
        "a.json: record 2, entities[1]: expected an entity that overlaps no other, found an overlap with \
         entities[0]"
    );
    let (_, report) = read(&refuse.on_error(OnError::Skip), json.as_bytes()).unwrap();
    assert_eq!((report.sentences, report.skipped), (1, 1));
}

#[test]
fn an_error_ends_iteration() {
    let json = r#"[{"tokens": []}, {"tokens": ["a"]}]"#;
    let mut reader = ReaderBuilder::new().from_reader(json.as_bytes(), "a.json").unwrap();
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
}
