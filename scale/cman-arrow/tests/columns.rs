//! What is found in columns equals what the extractor finds, in every layout of text and tokens.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray,
    StringViewArray, StructArray, builder, types::Int32Type,
};
use arrow_json::LineDelimitedWriter;
use burn_ragged::DeviceKind;
use cman_arrow::{ColumnError, data_type, extract, extract_batch};
use cman_data::Sentence;
use cman_model::{ExtractOptions, Extractor, LoadOptions, Model};
use serde_json::{Value, json};

const TEXTS: [Option<&str>; 5] = [
    Some("Maria Keller lives in Oslo. Zoë 😀 works for Nordic Rail in Bergen."),
    None,
    Some(""),
    Some("Peter Lang was born in Vienna."),
    Some("wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"),
];

fn extractor() -> Extractor {
    let device = DeviceKind::Flex.device().unwrap();
    let model = Model::from_package(cman_demo::PACKAGE, &device, &LoadOptions::default()).unwrap();
    Extractor::new(model).with_options(ExtractOptions { max_characters: 40, ..ExtractOptions::default() }).unwrap()
}

/// The rows of a column as JSON.
fn rows(column: StructArray) -> Vec<Value> {
    assert_eq!(column.data_type(), &data_type());
    let batch = RecordBatch::try_from_iter_with_nullable([("found", Arc::new(column) as ArrayRef, true)]).unwrap();
    let mut lines = Vec::new();
    LineDelimitedWriter::new(&mut lines).write(&batch).unwrap();
    serde_json::Deserializer::from_slice(&lines).into_iter().map(|row| row.unwrap()).collect()
}

/// What the extractor finds, as JSON.
fn expected(extractor: &Extractor, text: Option<&str>) -> Value {
    match text.map(|text| extractor.extract_document(text)) {
        None => json!({}),
        Some(Ok(document)) => json!({ "found": document }),
        Some(Err(error)) => {
            json!({"found": {"sentences": [], "entities": [], "relations": [], "error": error.to_string()}})
        }
    }
}

/// Whether two values are equal, numbers within the tolerance of another batch.
fn is_close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-5,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_close(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_close(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn every_layout_of_text_gives_what_the_extractor_finds() {
    let extractor = extractor();
    let expected: Vec<Value> = TEXTS.iter().map(|text| expected(&extractor, *text)).collect();
    assert!(expected[0]["found"]["entities"].as_array().unwrap().len() >= 4, "{expected:#?}");
    assert!(expected[4]["found"]["error"].is_string());
    let dictionary: DictionaryArray<Int32Type> = TEXTS.into_iter().collect();
    let columns: [ArrayRef; 4] = [
        Arc::new(StringArray::from(TEXTS.to_vec())),
        Arc::new(LargeStringArray::from(TEXTS.to_vec())),
        Arc::new(TEXTS.into_iter().collect::<StringViewArray>()),
        Arc::new(dictionary),
    ];
    for column in columns {
        let found = rows(extract(&extractor, &column).unwrap());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!(is_close(found, expected), "{}: {found:#}\n{expected:#}", column.data_type());
        }
    }
    let sliced = StringArray::from(TEXTS.to_vec()).slice(3, 2);
    let found = rows(extract(&extractor, &sliced).unwrap());
    assert!(is_close(&found[0], &expected[3]) && is_close(&found[1], &expected[4]), "{found:#?}");
}

#[test]
fn lists_of_tokens_are_read_by_their_tokens() {
    let extractor = extractor();
    let mut lists = builder::ListBuilder::new(builder::StringBuilder::new());
    let words = ["Maria", "Keller", "lives", "in", "Oslo", "."];
    lists.append_value(words.map(Some));
    lists.append_null();
    lists.append_value([Some("a"), None]);
    lists.append_value([Some("a"), Some("")]);
    let lists: ListArray = lists.finish();
    let found = rows(extract(&extractor, &lists).unwrap());
    let sentence = Sentence::from_tokens("", words);
    let own = extractor.extract_tokenized(&[extractor.tokenize_sentence(sentence).unwrap()]).unwrap();
    assert!(is_close(&found[0], &json!({"found": own[0]})), "{found:#?}");
    assert_eq!(found[0]["found"]["entities"][0]["text"], "Maria Keller");
    assert_eq!(found[1], json!({}));
    assert_eq!(found[2]["found"]["error"], "token 1 is null");
    assert!(found[3]["found"]["error"].as_str().unwrap().contains("token"), "{found:#?}");
}

#[test]
fn more_rows_than_a_part_keep_their_order() {
    let extractor = extractor();
    let texts: Vec<String> = (0..600).map(|i| format!("Person{i} lives in Oslo .")).collect();
    let column = StringArray::from_iter_values(&texts);
    for (found, text) in rows(extract(&extractor, &column).unwrap()).iter().zip(&texts) {
        let document = &found["found"];
        assert_eq!(document["sentences"][0]["chars"]["end"], text.chars().count(), "{text}");
    }
}

#[test]
fn a_batch_gains_a_column_and_names_what_is_wrong() {
    let extractor = extractor();
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["Maria Keller left.", "It rained."]));
    let batch = RecordBatch::try_from_iter([("id", numbers), ("text", texts)]).unwrap();
    let found = extract_batch(&extractor, &batch, "text", "found").unwrap();
    assert_eq!((found.num_columns(), found.column(0)), (3, batch.column(0)));
    assert_eq!(extract(&extractor, batch.column(1)).unwrap().to_data(), found.column(2).to_data());
    let message = |input, output| extract_batch(&extractor, &batch, input, output).unwrap_err().to_string();
    assert_eq!(message("txt", "found"), "no column 'txt'; the columns are id, text");
    assert_eq!(message("text", "id"), "the column 'id' exists already");
    assert_eq!(message("id", "found"), "expected a column of texts or of lists of tokens, found Int64");
    let empty = extract(&extractor, &StringArray::from(Vec::<&str>::new())).unwrap();
    assert_eq!((empty.len(), empty.data_type()), (0, &data_type()));
    assert!(matches!(extract(&extractor, batch.column(0)), Err(ColumnError::Type(_))));
}
