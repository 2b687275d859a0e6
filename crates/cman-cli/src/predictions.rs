//! Reader for files of predictions: SpERT JSON, the output of SpERT, the output of `cman predict`, or the multi-head
//! table.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use cman_data::{Corpus, Entity, ReaderBuilder, Relation, Sentence};
use serde::Deserialize;

/// A predicted sentence. Other keys are ignored. Duplicates are allowed because the scorers count them once.
#[derive(Deserialize)]
struct Record {
    tokens: Vec<String>,
    entities: Vec<Entity>,
    relations: Vec<Relation>,
}

/// Reads the predictions for the sentences of `gold`, in order.
pub fn read(path: &Path, gold: &[Sentence]) -> Result<Vec<Sentence>> {
    let name = || path.display().to_string();
    let bytes = fs::read(path).with_context(name)?;
    let json = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let records: serde_json::Result<Vec<Record>> = match json.trim_ascii_start().first() {
        Some(b'[') => serde_json::from_slice(json),
        Some(b'{') => serde_json::Deserializer::from_slice(json).into_iter().collect(),
        Some(b'#') => return check_words(path, Corpus::read(path, &ReaderBuilder::new())?.sentences, gold),
        _ => bail!("{}: expected predictions: a JSON array, JSON lines or a multi-head table", path.display()),
    };
    let sentence = |(i, record): (usize, Record)| Sentence {
        entities: record.entities,
        relations: record.relations,
        ..Sentence::from_tokens((i + 1).to_string(), record.tokens)
    };
    let records = records.with_context(name)?;
    check_words(path, records.into_iter().enumerate().map(sentence).collect(), gold)
}

/// Checks that the predictions are for the gold sentences, in the same order.
fn check_words(path: &Path, predicted: Vec<Sentence>, gold: &[Sentence]) -> Result<Vec<Sentence>> {
    for (i, (predicted, gold)) in predicted.iter().zip(gold).enumerate() {
        if let Some((found, expected)) = predicted.words().zip(gold.words()).find(|(found, expected)| found != expected)
        {
            let (path, id, number) = (path.display(), &gold.id, i + 1);
            bail!(
                "{path}: sentence {number} is not gold sentence `{id}`: expected the word {expected:?}, found {found:?}"
            );
        }
    }
    Ok(predicted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Sentence>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("p.json");
        fs::write(&path, text)?;
        let mut gold = [Sentence::from_tokens("s1", ["Ann", "ran"]), Sentence::from_tokens("s2", ["Bob"])];
        gold[0].entities = vec![Entity::new("Peop", 0..1)];
        read(&path, &gold)
    }

    const FIRST: &str = r#"{"id": 3, "tokens": ["Ann", "ran"], "entities": [{"type": "Peop", "text": "Ann", "start": 0,
        "end": 1, "confidence": 0.5}], "relations": []}"#;
    const SECOND: &str = r#"{"tokens": ["Bob"], "entities": [], "relations": []}"#;

    #[test]
    fn all_formats_give_the_same_predictions() {
        let table = "#doc 1\n0\tAnn\tB-Peop\t['N']\t[0]\n1\tran\tO\t['N']\t[1]\n#doc 2\n0\tBob\tO\t['N']\t[0]\n";
        for text in [format!("\u{FEFF}[{FIRST}, {SECOND}]"), format!("{FIRST}\n{SECOND}\n"), table.into()] {
            let sentences = read_text(&text).unwrap();
            assert_eq!(sentences.len(), 2, "{text}");
            assert_eq!(sentences[0].entities, [Entity::new("Peop", 0..1)]);
        }
    }

    #[test]
    fn predictions_for_other_sentences_are_errors() {
        let message = |text: &str| format!("{:#}", read_text(text).unwrap_err());
        let swapped = message(&format!("[{SECOND}, {FIRST}]"));
        assert!(swapped.ends_with("sentence 1 is not gold sentence `s1`: expected the word \"Ann\", found \"Bob\""));
        assert!(message("[{}]").contains("missing field `tokens` at line 1 column 3"));
        assert!(message("x").contains("expected predictions"));
        assert!(message("").contains("expected predictions"));
    }
}
