//! Writer for brat's standoff: one pair of files per sentence.

use std::{
    collections::HashSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::{
    losses::{LossKind, Losses},
    natural_order::natural_order,
    prediction::Prediction,
    sentence_text::SentenceText,
};
use crate::{
    error::{DataError, Location},
    labels::Schema,
    sentence::{Entity, Sentence},
};

/// Longest part of a file name, in characters.
const MAX_NAME: usize = 60;

/// A folder that is written.
pub(super) struct Folder {
    path: PathBuf,
    names: HashSet<String>,
    /// The name of the last pair.
    last: PathBuf,
}

impl Folder {
    /// A new or empty folder.
    pub(super) fn create(path: &Path) -> Result<Self, DataError> {
        let io = |source| DataError::io(path, source);
        fs::create_dir_all(path).map_err(io)?;
        if fs::read_dir(path).map_err(io)?.next().is_some() {
            return Err(DataError::invalid(Location::file(path), "", "an empty folder", "a folder with files"));
        }
        Ok(Self { path: path.to_owned(), names: HashSet::new(), last: PathBuf::new() })
    }

    /// Writes the pair of files of a sentence.
    pub(super) fn add(
        &mut self,
        sentence: &Sentence,
        prediction: Option<&Prediction>,
        at: &Location,
        losses: &mut Losses,
    ) -> Result<(), DataError> {
        let name = file_name(sentence, at, &mut self.names, losses);
        let last = std::mem::replace(&mut self.last, PathBuf::from(&name));
        if natural_order(&self.last, &last).is_lt() {
            losses.add(LossKind::Order, format!("{at}: {name}"));
        }
        let (text, annotation) = pair(sentence, prediction, at, losses);
        for (extension, content) in [("txt", text), ("ann", annotation)] {
            write_file(&self.path.join(format!("{name}.{extension}")), &content)?;
        }
        Ok(())
    }

    /// Writes `annotation.conf`, without which brat shows types as errors.
    pub(super) fn write_types(&mut self, schema: &Schema) -> Result<(), DataError> {
        write_file(&self.path.join("annotation.conf"), &configuration(schema))
    }
}

fn write_file(path: &Path, content: &str) -> Result<(), DataError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| DataError::io(path, source)
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io(parent))?;
    }
    fs::write(path, content).map_err(io(path))
}

/// The types, and the four sections that brat requires.
fn configuration(schema: &Schema) -> String {
    let mut lines = String::from("[entities]\n");
    for kind in schema.entities.names() {
        // Writing to a text does not fail.
        _ = writeln!(lines, "{}", without_separators(kind));
    }
    lines += "[relations]\n";
    for kind in schema.relations.names() {
        _ = writeln!(lines, "{}\tArg1:<ENTITY>, Arg2:<ENTITY>", without_separators(kind));
    }
    // Arguments may overlap, and a relation may have any.
    lines += "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n[events]\n[attributes]\n";
    lines
}

/// A file name for the sentence. `/` in the id separates folders.
fn file_name(sentence: &Sentence, at: &Location, names: &mut HashSet<String>, losses: &mut Losses) -> String {
    let id = sentence.id.as_str();
    let mut parts: Vec<String> = id.split('/').map(part).collect();
    // A folder must not have the name of a file.
    let (_, folders) = parts.split_last_mut().expect("a part");
    for folder in folders {
        let lower = folder.to_lowercase();
        if lower.ends_with(".txt") || lower.ends_with(".ann") {
            folder.push('_');
        }
    }
    let safe = parts.join("/");
    // Some file systems do not distinguish upper and lower case.
    let name = (1..)
        .map(|n| if n == 1 { safe.clone() } else { format!("{safe}-{n}") })
        .find(|name| names.insert(name.to_lowercase()))
        .unwrap_or_default();
    if name != id {
        losses.add(LossKind::Id, format!("{at}: {id}, written as {name}"));
    }
    name
}

/// A part of a path without characters that a file system or a shell treats specially.
fn part(part: &str) -> String {
    let is_special = |char: char| char.is_control() || "\\:*?\"<>|".contains(char);
    let name: String = part.chars().take(MAX_NAME).map(|char| if is_special(char) { '_' } else { char }).collect();
    if name.is_empty() || name.starts_with('.') || name != name.trim() { format!("_{}", name.trim()) } else { name }
}

/// The text and the annotation of a sentence.
fn pair(sentence: &Sentence, prediction: Option<&Prediction>, at: &Location, losses: &mut Losses) -> (String, String) {
    losses.add(LossKind::Tokens, at.to_string());
    let text = SentenceText::of(sentence);
    let chars: Vec<char> = text.text.chars().collect();
    let mut annotation = String::new();
    for (i, entity) in sentence.entities.iter().enumerate() {
        let kind = label(&entity.kind, at, losses);
        let parts = parts(entity, &text, &chars);
        let offsets: Vec<String> = parts.iter().map(|(start, end)| format!("{start} {end}")).collect();
        let surface: Vec<String> = parts.iter().map(|&(start, end)| line(&chars[start..end])).collect();
        // Writing to a text does not fail.
        _ = writeln!(annotation, "T{}\t{kind} {}\t{}", i + 1, offsets.join(";"), surface.join(" "));
    }
    for (i, relation) in sentence.relations.iter().enumerate() {
        let kind = label(&relation.kind, at, losses);
        let (head, tail) = (relation.head + 1, relation.tail + 1);
        _ = writeln!(annotation, "R{}\t{kind} Arg1:T{head} Arg2:T{tail}", i + 1);
    }
    if let Some(prediction) = prediction {
        let entities = (0..sentence.entities.len()).map(|i| (format!("T{}", i + 1), prediction.entity(i)));
        let relations = (0..sentence.relations.len()).map(|i| (format!("R{}", i + 1), prediction.relation(i)));
        let known = entities.chain(relations).filter_map(|(id, confidence)| Some((id, confidence?)));
        for (number, (id, confidence)) in (1..).zip(known) {
            _ = writeln!(annotation, "#{number}\tAnnotatorNotes {id}\tconfidence {confidence:.4}");
        }
    }
    (text.text, annotation)
}

/// The parts of an entity between line ends, which one line of annotation cannot hold.
fn parts(entity: &Entity, text: &SentenceText, chars: &[char]) -> Vec<(usize, usize)> {
    let all = text.chars(entity);
    let is_end = |char: char| matches!(char, '\n' | '\r');
    let mut parts = Vec::new();
    let mut start = all.start;
    for i in all.clone() {
        if is_end(chars[i]) {
            parts.push((start, i));
            start = i + 1;
        }
    }
    parts.push((start, all.end));
    parts.retain(|(start, end)| start < end);
    // An entity of nothing but line ends.
    if parts.is_empty() { vec![(all.start, all.end)] } else { parts }
}

/// Text on one line.
fn line(chars: &[char]) -> String {
    let text: String = chars.iter().collect();
    text.replace("\r\n", " ").replace(['\r', '\n'], " ")
}

/// A type without white space and `:`, which separate the columns.
fn label(kind: &str, at: &Location, losses: &mut Losses) -> String {
    let name = without_separators(kind);
    if name != kind {
        losses.add(LossKind::Name, format!("{at}: {kind}, written as {name}"));
    }
    name
}

fn without_separators(kind: &str) -> String {
    kind.chars().map(|c| if c.is_whitespace() || c == ':' || c == ';' { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{AnnotationFormat::Brat, AnnotationOptions, read_annotations, write_annotations};
    use super::*;
    use crate::sentence::{Relation, Token};

    #[test]
    fn an_entity_of_line_ends_is_written_on_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut sentence = Sentence::from_tokens("a", ["\r\n", "b"]);
        sentence.entities = vec![Entity::new("X", 0..1), Entity::new("X", 0..2)];
        write_annotations([&sentence], Brat, folder.path()).unwrap();
        let annotation = fs::read_to_string(folder.path().join("a.ann")).unwrap();
        assert_eq!(annotation, "T1\tX 0 2\t \nT2\tX 2 4\t b\n");
        let (sentences, losses) = read_annotations(folder.path(), Brat, &AnnotationOptions::default()).unwrap();
        assert_eq!((sentences[0].entities.len(), losses.count(LossKind::EntityWithoutToken)), (1, 1));
    }

    #[test]
    fn pairs_are_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut sentence = Sentence::from_tokens("sub/a", ["😀", "Ann", "Lee", "left"]);
        sentence.text = Some("😀 Ann\r\nLee left".into());
        for (token, chars) in sentence.tokens.iter_mut().zip([0..1, 2..5, 7..10, 11..15]) {
            token.chars = Some(chars);
        }
        sentence.entities = vec![Entity::new("P", 1..3), Entity::new("V e", 3..4)];
        sentence.relations = vec![Relation::new("R", 0, 1)];
        let other = Sentence { id: "../SUB\n".into(), text: None, ..sentence.clone() };
        let losses = write_annotations(&[sentence.clone(), other, sentence], Brat, folder.path()).unwrap();
        assert_eq!((losses.count(LossKind::Name), losses.count(LossKind::Id)), (3, 2));
        let annotation = fs::read_to_string(folder.path().join("sub/a.ann")).unwrap();
        assert_eq!(annotation, "T1\tP 2 5;7 10\tAnn Lee\nT2\tV_e 11 15\tleft\nR1\tR Arg1:T1 Arg2:T2\n");
        let (sentences, losses) = read_annotations(folder.path(), Brat, &AnnotationOptions::default()).unwrap();
        let ids: Vec<&str> = sentences.iter().map(|sentence| sentence.id.as_str()).collect();
        assert_eq!(ids, ["_../SUB_", "sub/a", "sub/a-2"]);
        assert_eq!(sentences[1].entities, [Entity::new("P", 1..3), Entity::new("V_e", 3..4)]);
        assert_eq!(sentences[0].tokens[1], Token { text: "Ann".into(), chars: Some(2..5) });
        assert!(losses.is_empty(), "{losses}");
        let error = write_annotations(&sentences, Brat, folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("expected an empty folder, found a folder with files"), "{error}");
    }
}
