//! `predict`.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
};

use serde_json::{Value, json};

use crate::program::{cman, cman_reading, command, demo, model, sample};

fn lines(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_sentence_is_a_line_with_the_documented_keys() {
    let folder = &demo();
    let text = "Zoë Day of Rome ran.  She won.\n\n \nPaul left\r\n";
    let output = cman_reading(text.as_bytes(), &["predict", "--model", folder]).quiet();
    assert!(output.starts_with(r#"{"offset":0,"text":"Zoë Day of Rome ran.","tokens":["Zoë","#), "{output}");
    let found = lines(&output);
    let texts: Vec<_> = found.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Zoë Day of Rome ran.", "She won.", "Paul left"]);
    let mut entities = 0;
    for line in &found {
        let keys: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys.len(), 5, "{keys:?}");
        let chars: Vec<char> = line["text"].as_str().unwrap().chars().collect();
        for entity in line["entities"].as_array().unwrap() {
            let [start, end] = ["char_start", "char_end"].map(|key| entity[key].as_u64().unwrap() as usize);
            assert_eq!(entity["text"], chars[start..end].iter().collect::<String>());
            assert!(entity["start"].as_u64() < entity["end"].as_u64() && entity["type"].is_string());
            assert!((0.0..=1.0).contains(&entity["confidence"].as_f64().unwrap()));
            entities += 1;
        }
        for relation in line["relations"].as_array().unwrap() {
            assert!(relation["head"].is_u64() && relation["tail"].is_u64() && relation["type"].is_string());
        }
    }
    assert!(entities > 0, "the model finds an entity: {output}");
}

#[test]
fn offsets_refer_to_the_input_in_any_script() {
    let folder = &demo();
    let texts = [
        "Mrs. Tsuruyama is from Kumamoto.  She left\tJapan.",
        "Zoë Šimková aus Köln. Cafe\u{301} Rene\u{301}e in Nîmes.",
        "東京の田中さん。Tanaka of 東京 ran.",
        "دانيال من القاهرة. Dana שלום of Haifa.",
        "👩\u{200D}🚀 Ann 🇳🇴 of Oslo 😀. 👍🏽 Bo.",
        "Rome\u{200B}Paris\u{FEFF} Lima\u{AD}Oslo \u{200E}Ann.",
    ];
    let records: Vec<String> =
        texts.iter().enumerate().map(|(i, text)| json!({"id": i, "text": text}).to_string()).collect();
    let run = cman_reading(records.join("\r\n").as_bytes(), &["predict", "--model", folder]);
    let warning = "warning: standard input: record 3, line 3: a text without spaces between words";
    assert!(run.status == Some(0) && run.stderr.starts_with(warning), "{}", run.stderr);
    let output = run.stdout;
    let (mut sentences, mut entities) = (0, 0);
    for line in lines(&output) {
        let input: Vec<char> = texts[line["id"].as_u64().unwrap() as usize].chars().collect();
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        let offset = number(&line["offset"]);
        let text = line["text"].as_str().unwrap();
        assert_eq!(text, input[offset..offset + text.chars().count()].iter().collect::<String>());
        for entity in line["entities"].as_array().unwrap() {
            let range = offset + number(&entity["char_start"])..offset + number(&entity["char_end"]);
            assert_eq!(entity["text"], input[range].iter().collect::<String>());
            entities += 1;
        }
        sentences += 1;
    }
    assert!(sentences >= texts.len() && entities > 0, "{output}");
}

#[test]
fn records_keep_their_ids_and_order_across_windows() {
    let (folder, _) = model();
    let mut input = String::new();
    for i in 0..600 {
        let words = ["Ann", "left", "Rome", "early", "today"];
        let tokens = &words[..1 + i % 5];
        match i % 3 {
            0 => writeln!(input, "{}", json!({"id": i, "text": tokens.join(" ")})),
            1 => writeln!(input, "{}", json!({"tokens": tokens, "id": format!("n{i}"), "more": [{}]})),
            _ => writeln!(input, "{}", json!({"tokens": tokens})),
        }
        .unwrap();
    }
    let output = cman_reading(input.as_bytes(), &["predict", "--model", folder]).quiet();
    assert!(output.starts_with(r#"{"id":0,"offset":0,"text":"Ann","#), "{}", output.lines().next().unwrap());
    let found = lines(&output);
    assert_eq!(found.len(), 600);
    for (i, line) in found.iter().enumerate() {
        let id = [json!(i), json!(format!("n{i}")), Value::Null][i % 3].clone();
        assert_eq!((&line["id"], line["tokens"].as_array().unwrap().len()), (&id, 1 + i % 5), "line {i}");
    }
    let serial = cman_reading(input.as_bytes(), &["predict", "--model", folder, "--threads", "1"]).quiet();
    assert!(serial == output, "the number of threads changes nothing");
}

#[test]
fn invalid_records_are_reported_and_skipped() {
    let (folder, _) = model();
    let many = json!({"tokens": vec!["a"; 9]});
    let long = json!({"tokens": ["a".repeat(257)]});
    let mut input = format!("\n{}\nnope\n{{\"text\": 5}}\n{{}}\n", json!({"text": "Ann ran."})).into_bytes();
    input.extend(b"{\"tokens\": []}\n{\"tokens\": [\"a\", \"\"]}\n\xFF\n");
    input.extend(format!("{many}\n{long}\n{{\"text\": \" \"}}\n{}", json!({"text": "Bob"})).into_bytes());
    let run = cman_reading(&input, &["predict", "--model", folder, "--max-tokens", "8", "--long-sentences", "refuse"]);
    assert_eq!(run.status, Some(1));
    let expected = "\
standard input: record 2, line 3, column 2: expected ident
standard input: record 3, line 4, column 10, text: expected a string, found integer `5`
standard input: record 4, line 5: expected `text` or `tokens`, found neither
standard input: record 5, line 6: tokens: expected at least one token, found none
standard input: record 6, line 7: tokens[1]: expected a non-empty token, found \"\"
standard input: record 7, line 8, column 1: not UTF-8
standard input: record 8, line 9: sentence of 9 tokens exceeds the maximum of 8 (--max-tokens)
standard input: record 9, line 10: token of 257 characters exceeds the maximum of 256 (--max-characters)
error: standard input: 8 invalid records skipped
";
    assert_eq!(run.stderr, expected);
    let texts: Vec<_> = lines(&run.stdout).iter().map(|line| line["text"].clone()).collect();
    assert_eq!(texts, ["Ann ran.", "Bob"]);
}

#[test]
fn the_length_of_a_line_is_limited() {
    let (folder, _) = model();
    let input = format!("{}\nAnn ran.\n", "a ".repeat(9 << 20));
    let run = cman_reading(input.as_bytes(), &["predict", "--model", folder]);
    assert_eq!((run.status, lines(&run.stdout).len()), (Some(1), 1));
    assert!(run.stderr.starts_with("standard input: line 1: longer than the limit of 16777216 bytes\n"));
}

#[test]
fn a_corpus_is_read_by_its_tokens_and_other_files_are_refused_by_name() {
    let (folder, _) = model();
    let words = |input: &str| -> Vec<Value> {
        let output = cman_reading(input.as_bytes(), &["predict", "--model", folder]).quiet();
        lines(&output).iter().map(|line| line["tokens"].clone()).collect()
    };
    let expected = [json!(["Ann", "left"]), json!(["Bob"])];
    let array = r#"[{"tokens": ["Ann", "left"], "entities": [], "orig_id": 1}, {"tokens": ["Bob"]}]"#;
    assert_eq!(words(array), expected);
    assert_eq!(
        words("#doc 1\n0\tAnn\tO\t['N']\t[0]\n1\tleft\tO\t['N']\t[1]\n#doc 2\n0\tBob\tO\t['N']\t[0]\n"),
        expected
    );
    assert_eq!(words("Ann B-Peop\nleft O\n\nBob B-Peop\n"), expected);

    let studio = r#"[{"id": 1, "annotations": [], "data": {"text": "Ann left."}}]"#;
    let run = cman_reading(studio.as_bytes(), &["predict", "--model", folder]);
    let (error, hint) = run.failure_with_hint();
    assert_eq!(
        error,
        "standard input: expected text, JSON records with `text` or `tokens`, or a corpus, found a Label Studio export"
    );
    assert!(hint.unwrap().starts_with("`jq -c '.[] | {id, text: .data.text}' FILE` writes records with their text"));
    let run = cman_reading(b"\x1F\x8B\x08\0\0\0\0", &["predict", "--model", folder]);
    assert!(run.failure_with_hint().1.unwrap().starts_with("`gunzip -c FILE`"));
}

#[test]
fn ids_of_any_size_are_carried_as_they_came() {
    let (folder, _) = model();
    let id = "123456789012345678901234567890.10";
    let input = format!("{{\"id\": {id}, \"tokens\": [\"Ann\"]}}\n");
    let output = cman_reading(input.as_bytes(), &["predict", "--model", folder]).quiet();
    assert!(output.contains(&format!("\"id\":{id},")), "{output}");
}

#[test]
fn the_input_format_can_be_set() {
    let (folder, _) = model();
    let input = "{\"text\": \"Ann ran.\"}\n";
    let run = cman_reading(input.as_bytes(), &["predict", "--model", folder, "--format", "text"]).quiet();
    assert!(lines(&run)[0]["text"].as_str().unwrap().starts_with('{'));
    let run = cman_reading(b"Ann ran.\n", &["predict", "--model", folder, "--format", "jsonl"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    assert_eq!(cman(&["predict", "--model", folder]).quiet(), "");
}

#[test]
fn predictions_are_written_to_a_file_and_scored() {
    let (folder, _) = model();
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let (input, output, predicted) = (path("in.jsonl"), path("out.jsonl"), path("predicted.json"));
    let (test, types) = (sample("test.json"), sample("types.json"));
    let gold: Vec<Value> = serde_json::from_slice(&fs::read(&test).unwrap()).unwrap();
    let records: Vec<String> = gold.iter().map(|sentence| json!({"tokens": sentence["tokens"]}).to_string()).collect();
    fs::write(&input, records.join("\n")).unwrap();
    assert_eq!(cman(&["predict", "--model", folder, &input, "--output", &output]).quiet(), "");
    let evaluate = ["evaluate", "--model", folder, "--data", &test, "--predictions", &predicted, "--json", "-"];
    let evaluated: Value = serde_json::from_str(&cman(&evaluate).quiet()).unwrap();
    for predictions in [&output, &predicted] {
        let scored = cman(&["score", "--gold", &test, "--pred", predictions, "--types", &types, "--json", "-"]).quiet();
        assert_eq!(serde_json::from_str::<Value>(&scored).unwrap(), evaluated, "{predictions}");
    }

    let run = cman(&["predict", "--model", folder, &input, "--output", &input]);
    assert_eq!(run.failure(), format!("{input}: the output is the input file"));
    assert_eq!(fs::read_to_string(&input).unwrap().lines().count(), 175, "the input is unchanged");
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let (folder, _) = model();
    let mut child = command(&["predict", "--model", folder]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let line = "Ann Lee of Rome left for Oslo, Norway, in May 1979 and came back to Rome in June 1980.\n";
        let mut lines = 0;
        while lines < 20_000 && stdin.write_all(line.as_bytes()).is_ok() {
            lines += 1;
        }
        lines
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with(r#"{"offset":0,"text":"Ann Lee"#));
    drop(stdout);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
    assert!(writer.join().unwrap() < 20_000, "the program stops before it has read all input");
}

#[test]
fn a_long_sentence_is_read_in_windows_and_said() {
    let (folder, _) = model();
    let words: Vec<String> = (0..40).map(|i| format!("w{i}")).collect();
    let input = format!("{}\n{}\n", json!({"tokens": words}), json!({"text": "Ann ran."}));
    let run = cman_reading(input.as_bytes(), &["predict", "--model", folder, "--max-tokens", "16"]);
    assert_eq!(run.status, Some(0));
    assert_eq!(
        run.stderr,
        "standard input: record 1, line 1: sentence of 40 tokens, above the 16 of --max-tokens: 1 sentence read in \
         overlapping windows; relations between entities farther apart are not found\n"
    );
    let found = lines(&run.stdout);
    assert_eq!((found[0]["windows"].clone(), found[1].get("windows")), (json!(3), None));
    assert_eq!(found[0]["tokens"].as_array().unwrap().len(), 40);
}

#[test]
fn options_choose_what_is_extracted() {
    let folder = &demo();
    let test = sample("test.json");
    let predict = |options: &[&str]| lines(&cman(&[&["predict", "--model", folder, &test], options].concat()).quiet());
    let all = |found: &[Value], key: &str| -> Vec<Value> {
        found.iter().flat_map(|line| line[key].as_array().unwrap().clone()).collect()
    };
    let found = predict(&[]);
    let confidence = |entity: &Value| entity["confidence"].as_f64().unwrap();
    let certain = all(&predict(&["--entity-threshold", "0.9"]), "entities");
    let expected: Vec<Value> = all(&found, "entities").into_iter().filter(|e| confidence(e) >= 0.9).collect();
    assert_eq!(certain, expected);
    let entities = predict(&["--entities-only", "--n-best", "2"]);
    assert!(all(&entities, "relations").is_empty() && all(&entities, "n_best").len() > found.len());
    let many = all(&predict(&["--relation-threshold", "0.01"]), "relations").len();
    let trained = all(&predict(&["--relation-threshold", "0.01", "--signatures", "trained"]), "relations").len();
    assert!(trained < many, "{trained} of {many} relations have a signature of the training data");
    let error = cman(&["predict", "--model", folder, "--entity-threshold", "2"]).failure();
    assert_eq!(error, "configuration: entity_threshold: expected a number from 0 to 1, found 2");
}

#[test]
fn without_a_model_the_demo_model_predicts_and_says_so() {
    let run = cman_reading(b"Maria Keller lives in Oslo, Norway.", &["predict"]);
    assert_eq!(run.status, Some(0));
    assert!(run.stderr.starts_with("no --model: the demo model, F1 "), "{}", run.stderr);
    let found = &lines(&run.stdout)[0];
    let texts: Vec<&str> = found["entities"].as_array().unwrap().iter().map(|e| e["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Maria Keller", "Oslo", "Norway"]);
    assert!(!found["relations"].as_array().unwrap().is_empty());
    assert_eq!(
        run.stdout,
        cman_reading(b"Maria Keller lives in Oslo, Norway.", &["predict", "--model", &demo()]).stdout
    );
}
