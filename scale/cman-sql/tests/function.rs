//! What the function finds equals what the extractor finds, in every kind of column and with every kind of model.

use std::{fs, sync::Arc};

use arrow_json::ArrayWriter;
use burn_ragged::DeviceKind;
use cman_arrow::data_type;
use cman_data::Sentence;
use cman_model::{Extractor, LoadOptions, Model};
use datafusion::{
    arrow::{
        array::{ArrayRef, Int64Array, LargeStringArray, ListBuilder, StringArray, StringBuilder, StringViewArray},
        record_batch::RecordBatch,
    },
    prelude::SessionContext,
};
use serde_json::{Value, json};

const TEXTS: [&str; 4] = [
    "Maria Keller lives in Oslo. Zoë 😀 works for Nordic Rail in Bergen.",
    "Peter Lang was born in Vienna, Austria.",
    "",
    "It rained.",
];

fn extractor() -> Extractor {
    let device = DeviceKind::Flex.device().unwrap();
    Extractor::new(Model::from_package(cman_demo::PACKAGE, &device, &LoadOptions::default()).unwrap())
}

/// A session with the table `docs`, whose column `text` has this layout.
fn session(texts: ArrayRef) -> SessionContext {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..texts.len() as i64));
    let batch = RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("text", texts, true)]).unwrap();
    let context = cman_sql::embedded(2).unwrap();
    context.register_batch("docs", batch).unwrap();
    context
}

async fn rows(context: &SessionContext, sql: &str) -> Result<Vec<Value>, String> {
    let frame = context.sql(sql).await.map_err(|error| error.to_string())?;
    let batches = frame.collect().await.map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    let mut writer = ArrayWriter::new(&mut json);
    writer.write_batches(&batches.iter().collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    Ok(if json.is_empty() { Vec::new() } else { serde_json::from_slice(&json).unwrap() })
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

#[tokio::test(flavor = "multi_thread")]
async fn sql_finds_what_the_extractor_finds() {
    let mut expected: Vec<Value> = extractor()
        .extract_documents(&TEXTS)
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(id, document)| json!({"id": id, "found": document}))
        .collect();
    assert!(expected[0]["found"]["entities"].as_array().unwrap().len() >= 4, "{expected:#?}");
    expected.push(json!({"id": 4}));
    let texts: Vec<Option<&str>> = TEXTS.into_iter().map(Some).chain([None]).collect();
    let columns: [ArrayRef; 3] = [
        Arc::new(StringArray::from(texts.clone())),
        Arc::new(LargeStringArray::from(texts.clone())),
        Arc::new(StringViewArray::from(texts)),
    ];
    for column in columns {
        let kind = column.data_type().clone();
        let context = session(column);
        let frame = context.sql("SELECT id, cman_extract(text) AS found FROM docs ORDER BY id").await.unwrap();
        assert_eq!(frame.schema().field(1).data_type(), &data_type());
        let found = rows(&context, "SELECT id, cman_extract(text) AS found FROM docs ORDER BY id").await.unwrap();
        assert!(is_close(&json!(found), &json!(expected)), "{kind}: {found:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_tokens_are_read_by_their_tokens() {
    let words = ["Maria", "Keller", "lives", "in", "Oslo", "."];
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value(words.map(Some));
    lists.append_null();
    let context = session(Arc::new(lists.finish()));
    let found = rows(&context, "SELECT cman_extract(text) AS found FROM docs ORDER BY id").await.unwrap();
    let extractor = extractor();
    let sentence = extractor.tokenize_sentence(Sentence::from_tokens("", words)).unwrap();
    let expected = extractor.extract_tokenized(&[sentence]).unwrap();
    assert!(is_close(&json!(found), &json!([{"found": expected[0]}, {}])), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_become_rows() {
    let context = session(Arc::new(StringArray::from(TEXTS.to_vec())));
    let sql = "SELECT id, entity['type'] AS type, entity['text'] AS text \
               FROM (SELECT id, unnest(cman_extract(text)['entities']) AS entity FROM docs) ORDER BY id, text";
    let found = rows(&context, sql).await.unwrap();
    let documents = extractor().extract_documents(&TEXTS).unwrap();
    let mut expected: Vec<Value> = documents
        .iter()
        .enumerate()
        .flat_map(|(id, document)| document.entities.iter().map(move |entity| (id, entity)))
        .map(|(id, entity)| json!({"id": id, "type": entity.kind, "text": entity.text}))
        .collect();
    expected.sort_by_key(|row| (row["id"].as_u64(), row["text"].as_str().map(str::to_owned)));
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_argument_names_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.cman");
    fs::write(&path, cman_demo::PACKAGE).unwrap();
    let context = session(Arc::new(StringArray::from(TEXTS.to_vec())));
    let own = rows(&context, "SELECT cman_extract(text) AS found FROM docs ORDER BY id").await.unwrap();
    let sql = format!("SELECT cman_extract(text, '{}') AS found FROM docs ORDER BY id", path.display());
    assert_eq!(rows(&context, &sql).await.unwrap(), own);
    let missing = folder.path().join("missing");
    let sql = format!("SELECT cman_extract(text, '{}') FROM docs", missing.display());
    let error = rows(&context, &sql).await.unwrap_err();
    assert!(error.contains(&missing.display().to_string()) && error.contains("cman_extract: model"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_errors_of_the_plan() {
    let context = session(Arc::new(StringArray::from(TEXTS.to_vec())));
    for (arguments, expected) in [
        ("id", "reads texts or lists of tokens, found Int64"),
        ("", "'cman_extract'"),
        ("text, text", "must be a literal path"),
        ("text, 3", "the model of cman_extract is a path, found Int64"),
        ("text, NULL", "the model of cman_extract is a path, found Null"),
        ("text, 'a', 'b'", "found 3 arguments"),
    ] {
        let sql = format!("SELECT cman_extract({arguments}) FROM docs");
        let error = context.sql(&sql).await.err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains(expected)), "{arguments}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn constants_are_extracted_from_once() {
    let context = session(Arc::new(StringArray::from(TEXTS.to_vec())));
    let sql = "SELECT cman_extract('Maria Keller lives in Oslo.')['entities'][1]['text'] AS first, \
               cman_extract(NULL) IS NULL AS nothing";
    assert_eq!(rows(&context, sql).await.unwrap(), [json!({"first": "Maria Keller", "nothing": true})]);
}
