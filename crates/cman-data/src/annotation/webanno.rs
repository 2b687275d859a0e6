//! WebAnno TSV 3, as exported by WebAnno and INCEpTION.

use std::{
    collections::HashMap,
    ffi::OsString,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    annotation_source::AnnotationSource,
    collector::Collector,
    document::{Document, DocumentRelation, DocumentSpan, DocumentTokens},
    losses::LossKind,
    offsets::{Offsets, Unit},
    webanno_schema::{Layer, LayerKind, cell, unescaped},
};
use crate::{
    error::{DataError, Location, Quoted},
    id::Id,
};

/// Reads a file, or all `.tsv` files of a folder tree.
pub(super) fn read(collector: &mut Collector, source: AnnotationSource) -> Result<(), DataError> {
    let path = source.name();
    let mut files = source.files(&["tsv"])?;
    // INCEpTION exports a folder per document, with a file per annotator; what was curated is elsewhere.
    files.sort_by_key(|file| preference(file));
    let mut annotators: HashMap<(OsString, String), PathBuf> = HashMap::new();
    for file in files {
        let relative = file.strip_prefix(path).ok().filter(|relative| !relative.as_os_str().is_empty());
        let name = relative.unwrap_or_else(|| file.file_name().map_or(file.as_path(), Path::new)).with_extension("");
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        let read = source.text(&file).and_then(|text| {
            let mut reader = Reader { id: Id::name(parts.join("/")), ..Reader::new(&file) };
            for (number, line) in (1..).zip(text.strip_prefix('\u{FEFF}').unwrap_or(&text).lines()) {
                reader.line(line, number, collector)?;
            }
            let folder = file.parent().and_then(Path::file_name).unwrap_or_default().to_owned();
            let key = (folder, reader.text.clone());
            if let Some(known) = annotators.get(&key) {
                let what = format!("the text of {}", known.display());
                collector.lose(LossKind::FurtherAnnotation, &reader.file, &what);
                return Ok(());
            }
            annotators.insert(key, file.clone());
            let (document, at) = reader.finish(collector)?;
            collector.add(&document, &at)
        });
        collector.record(read)?;
    }
    Ok(())
}

/// Curated annotation comes first, and the text before any annotation last.
fn preference(file: &Path) -> u8 {
    let has = |name: &str| file.iter().any(|part| part.eq_ignore_ascii_case(name));
    if has("curation") || has("curation_merge") {
        0
    } else if file.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("INITIAL_CAS")) {
        2
    } else {
        1
    }
}

/// The state of reading a file.
struct Reader {
    file: Location,
    id: Id,
    layers: Vec<Layer>,
    /// The texts of the sentences, joined by line ends, and their length in characters.
    text: String,
    n_chars: usize,
    /// The text of the sentence that is read, which may have several lines.
    sentence: Option<Sentence>,
    tokens: Vec<Vec<Range<usize>>>,
    /// The characters of each token by its id, such as `1-2` or `1-2.1`.
    by_id: HashMap<String, Range<usize>>,
    spans: Vec<DocumentSpan>,
    /// The span of a layer with this number in brackets.
    numbered: HashMap<(usize, String), usize>,
    /// The spans of a layer that have no number, by their token.
    unnumbered: HashMap<(usize, String), usize>,
    relations: Vec<Pending>,
    lines: usize,
}

/// The text of a sentence.
struct Sentence {
    text: String,
    offsets: Offsets,
    /// First character of the sentence in the text of the document.
    start: usize,
    /// Offset of the sentence in the file's own text, in UTF-16 units; known from the first token.
    first: Option<usize>,
}

/// A relation whose first argument may follow.
struct Pending {
    line: usize,
    layer: usize,
    kind: String,
    governor: String,
    dependent: String,
    /// The numbers in brackets of the two arguments; `0` if they have none.
    numbers: Option<(String, String)>,
}

impl Reader {
    fn new(file: &Path) -> Self {
        Self {
            file: Location::file(file),
            id: Id::default(),
            layers: Vec::new(),
            text: String::new(),
            n_chars: 0,
            sentence: None,
            tokens: Vec::new(),
            by_id: HashMap::new(),
            spans: Vec::new(),
            numbered: HashMap::new(),
            unnumbered: HashMap::new(),
            relations: Vec::new(),
            lines: 0,
        }
    }

    fn line(&mut self, line: &str, number: usize, collector: &mut Collector) -> Result<(), DataError> {
        let at = self.file.clone().with_line(number);
        self.lines = number;
        if number == 1 {
            let is_known = line.trim_end().strip_prefix("#FORMAT=WebAnno TSV 3").is_some();
            let expected = || DataError::invalid(at, "", "`#FORMAT=WebAnno TSV 3.3`", Quoted(line).to_string());
            return is_known.then_some(()).ok_or_else(expected);
        }
        if line.trim().is_empty() {
            self.sentence = None;
        } else if let Some(text) = line.strip_prefix("#Text=") {
            self.start_sentence(&unescaped(text));
        } else if let Some(header) = line.strip_prefix('#').filter(|header| header.starts_with("T_")) {
            let start = self.layers.last().map_or(0, |layer| layer.columns.end);
            let expected = || DataError::invalid(at, "", "a layer as T_SP, T_RL or T_CH", Quoted(line).to_string());
            self.layers.push(Layer::parse(header, start).ok_or_else(expected)?);
        } else if !line.starts_with('#') {
            self.row(line, &at, collector)?;
        }
        Ok(())
    }

    /// Starts a sentence. A text of several lines has one `#Text=` per line.
    fn start_sentence(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
            self.n_chars += 1;
        }
        let (text, start) = match self.sentence.take() {
            Some(sentence) if sentence.first.is_none() => (format!("{}\n{line}", sentence.text), sentence.start),
            _ => {
                self.tokens.push(Vec::new());
                (line.to_owned(), self.n_chars)
            }
        };
        self.sentence = Some(Sentence { offsets: Offsets::new(&text, Unit::UTF16), text, start, first: None });
        self.text += line;
        self.n_chars += line.chars().count();
    }

    /// A token, or a part of one.
    fn row(&mut self, line: &str, at: &Location, collector: &mut Collector) -> Result<(), DataError> {
        let columns: Vec<&str> = line.split('\t').collect();
        let n_columns = self.layers.last().map_or(0, |layer| layer.columns.end);
        let invalid = |expected: &str| Err(DataError::invalid(at.clone(), "", expected, Quoted(line).to_string()));
        let [id, offsets, word, cells @ ..] = &columns[..] else {
            return invalid("an id, offsets and a token, separated by tabs");
        };
        let cells = &cells[..cells.len() - usize::from(cells.len() == n_columns + 1 && cells[n_columns].is_empty())];
        if cells.len() != n_columns {
            return invalid(&format!("{n_columns} columns after the token, as the header says"));
        }
        let Some(sentence) = &mut self.sentence else { return invalid("`#Text=` before the tokens of a sentence") };
        let offset = |text: &str| text.parse::<usize>().ok();
        let range = offsets.split_once('-').and_then(|(start, end)| Some(offset(start)?..offset(end)?));
        let Some(range) = range else { return invalid("offsets such as 0-3") };
        let word = unescaped(word);
        let first =
            *sentence.first.get_or_insert_with(|| range.start.saturating_sub(leading(&sentence.offsets, &word)));
        let (Some(start), Some(end)) = (range.start.checked_sub(first), range.end.checked_sub(first)) else {
            return invalid("offsets within the sentence");
        };
        let Some(chars) = sentence.offsets.chars(start..end) else {
            return invalid("offsets within the sentence, in UTF-16 units");
        };
        let found = sentence.offsets.text(chars.clone());
        if found != word {
            let expected = format!("{} at {offsets} in UTF-16 units", Quoted(&word));
            return Err(DataError::invalid(at.clone(), "", expected, Quoted(&found).to_string()));
        }
        let chars = chars.start + sentence.start..chars.end + sentence.start;
        // `1-2.1` is a part of the token 1-2.
        if let (false, Some(tokens)) = (id.contains('.'), self.tokens.last_mut()) {
            tokens.push(chars.clone());
        }
        if self.by_id.insert((*id).to_owned(), chars.clone()).is_some() {
            return invalid("an id that is used once");
        }
        for index in 0..self.layers.len() {
            self.cells(index, id, &chars, cells, at, collector)?;
        }
        Ok(())
    }

    /// The cells of a layer in a row.
    fn cells(
        &mut self,
        index: usize,
        id: &str,
        chars: &Range<usize>,
        cells: &[&str],
        at: &Location,
        collector: &mut Collector,
    ) -> Result<(), DataError> {
        let layer = &self.layers[index];
        let parse = |column: usize| {
            let malformed = || {
                DataError::invalid(at.clone(), "", "values such as PER[1]|LOC[2]", Quoted(cells[column]).to_string())
            };
            cell(cells[column]).ok_or_else(malformed)
        };
        let kind = |value: Option<&super::webanno_schema::CellValue>| {
            value.and_then(|value| value.value.clone()).filter(|value| !value.is_empty())
        };
        let first = parse(layer.columns.start)?;
        let labels = layer.label.map(parse).transpose()?.unwrap_or_default();
        // Features that are neither the type nor the governor.
        let features = layer.features().map(parse).collect::<Result<Vec<_>, _>>()?;
        let n_features = |i: usize| {
            features.iter().filter(|values| values.get(i).is_some_and(|value| value.value.is_some())).count()
        };
        match layer.kind {
            LayerKind::Other | LayerKind::Chain => {
                let loss = if layer.kind == LayerKind::Chain { LossKind::Coreference } else { LossKind::Attribute };
                for _ in &first {
                    collector.lose(loss, at, layer.short_name());
                }
            }
            LayerKind::Span => {
                for (i, value) in first.into_iter().enumerate() {
                    let known = value.number.as_ref().and_then(|n| self.numbered.get(&(index, n.clone())).copied());
                    if let Some(span) = known {
                        let end = &mut self.spans[span].chars.end;
                        *end = chars.end.max(*end);
                        continue;
                    }
                    let kind = kind(labels.get(i)).unwrap_or_else(|| layer.short_name().to_owned());
                    match value.number {
                        Some(number) => self.numbered.insert((index, number), self.spans.len()),
                        None => self.unnumbered.insert((index, id.to_owned()), self.spans.len()),
                    };
                    self.spans.push(DocumentSpan { kind, chars: chars.clone(), name: format!("token {id}") });
                    for _ in 0..n_features(i) {
                        collector.lose(LossKind::Attribute, at, layer.short_name());
                    }
                }
            }
            LayerKind::Relation => {
                for (i, governor) in parse(layer.columns.end - 1)?.into_iter().enumerate() {
                    let kind = kind(labels.get(i)).unwrap_or_else(|| layer.short_name().to_owned());
                    let numbers = match governor.number.as_deref().map(|numbers| numbers.split_once('_')) {
                        None => None,
                        Some(Some((source, target))) => Some((source.to_owned(), target.to_owned())),
                        Some(None) => {
                            let found = Quoted(cells[layer.columns.end - 1]).to_string();
                            return Err(DataError::invalid(at.clone(), "", "a governor such as 1-2[1_0]", found));
                        }
                    };
                    for _ in 0..n_features(i) {
                        collector.lose(LossKind::Attribute, at, layer.short_name());
                    }
                    self.relations.push(Pending {
                        line: at.line.unwrap_or_default(),
                        layer: index,
                        kind,
                        governor: governor.value.unwrap_or_default(),
                        dependent: id.to_owned(),
                        numbers,
                    });
                }
            }
        }
        Ok(())
    }

    /// The span of a relation's argument.
    fn argument(&self, layer: usize, token: &str, number: Option<&str>) -> Option<usize> {
        let base = self.layers.iter().position(|other| other.name == self.layers[layer].base)?;
        if let Some(number) = number.filter(|&number| number != "0") {
            return self.numbered.get(&(base, number.to_owned())).copied();
        }
        self.unnumbered.get(&(base, token.to_owned())).copied().or_else(|| {
            // An entity of several tokens is named by its first one.
            let start = self.by_id.get(token)?.start;
            let numbered = self.numbered.iter().filter(|((own, _), _)| *own == base).map(|(_, &span)| span);
            numbered.filter(|&span| self.spans[span].chars.start == start).min()
        })
    }

    fn finish(self, collector: &mut Collector) -> Result<(Document, Location), DataError> {
        if self.lines == 0 {
            return Err(DataError::invalid(self.file, "", "`#FORMAT=WebAnno TSV 3.3`", "an empty file"));
        }
        let mut relations = Vec::new();
        for pending in &self.relations {
            let Pending { line, layer, kind, governor, dependent, numbers } = pending;
            let at = self.file.clone().with_line(*line);
            if !self.by_id.contains_key(governor) {
                return Err(DataError::invalid(at, "", "the id of a token as governor", Quoted(governor).to_string()));
            }
            let (source, target) = numbers
                .as_ref()
                .map_or((None, None), |(source, target)| (Some(source.as_str()), Some(target.as_str())));
            match (self.argument(*layer, governor, source), self.argument(*layer, dependent, target)) {
                (Some(head), Some(tail)) => {
                    let name = format!("token {dependent}");
                    relations.push(DocumentRelation { kind: kind.clone(), head, tail, name });
                }
                _ => collector.lose(LossKind::RelationWithoutEntity, &at, kind),
            }
        }
        let tokens = DocumentTokens::Sentences(self.tokens);
        Ok((Document { id: self.id, text: self.text, tokens, spans: self.spans, relations }, self.file))
    }
}

/// Where the first token is in its sentence, in UTF-16 units.
fn leading(offsets: &Offsets, word: &str) -> usize {
    let text = offsets.whole();
    text.find(word).map_or(0, |at| text[..at].encode_utf16().count())
}

#[cfg(test)]
mod tests {
    use super::super::{
        AnnotationFormat::WebAnno,
        AnnotationOptions,
        fixture::{first_error, read, span_texts, words},
        read_annotations,
    };
    use super::*;
    use crate::sentence::Relation;

    const FILE: &str = "#FORMAT=WebAnno TSV 3.3\n\
        #T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue\n\
        #T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value\n\
        #T_RL=webanno.custom.Relation|label|BT_de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity\n\n\n\
        #Text=😀 Zoë van Berg met שרה\n\
        1-1\t0-2\t😀\t_\t_\t_\t_\t_\t\n\
        1-2\t3-6\tZoë\tNE\t*[1]\tPER[1]\t_\t_\t\n\
        1-3\t7-10\tvan\t_\t*[1]\tPER[1]\t_\t_\t\n\
        1-4\t11-15\tBerg\t_\t*[1]|*[2]\tPER[1]|LOC[2]\t_\t_\t\n\
        1-5\t16-19\tmet\t_\t_\t_\t_\t_\t\n\
        1-6\t20-23\tשרה\t_\tQ7\tPER\tmet\t1-2[1_0]\t\n\n\
        #Text=In Bonn\\t.\n\
        2-1\t24-26\tIn\t_\t_\t_\t_\t_\t\n\
        2-2\t27-31\tBonn\t_\t*\tLOC\tfar\t1-6\t\n\
        2-3\t32-33\t.\t_\t_\t_\t_\t_\t\n";

    #[test]
    fn layers_become_entities_and_relations() {
        for file in [FILE.to_owned(), FILE.replace('\n', "\r\n"), format!("\u{FEFF}{FILE}")] {
            let (sentences, losses) = read(WebAnno, &file);
            assert_eq!(words(&sentences), [vec!["😀", "Zoë", "van", "Berg", "met", "שרה"], vec!["In", "Bonn", "."]]);
            let texts = [("PER", "Zoë van Berg".into()), ("LOC", "Berg".into()), ("PER", "שרה".into())];
            assert_eq!(span_texts(&sentences[0]), texts);
            assert_eq!(sentences[0].relations, [Relation::new("met", 0, 2)]);
            assert_eq!((sentences[1].id.as_str(), sentences[1].text.as_deref()), ("file-2", Some("In Bonn\t.")));
            // A part of speech and an identifier.
            assert_eq!((losses.count(LossKind::Attribute), losses.count(LossKind::RelationAcrossSentences)), (2, 1));
        }
    }

    #[test]
    fn a_sentence_may_have_several_lines() {
        let text = "#FORMAT=WebAnno TSV 3.3\n#T_SP=custom.Entity|value\n\n\n#Text=Bob left\n#Text=home.\n\
                    1-1\t0-3\tBob\tP\t\n1-2\t4-8\tleft\t_\t\n1-3\t9-13\thome\tL\t\n1-4\t13-14\t.\t_\t\n";
        let (sentences, _) = read(WebAnno, text);
        assert_eq!(sentences[0].text.as_deref(), Some("Bob left\nhome."));
        assert_eq!(span_texts(&sentences[0]), [("P", "Bob".into()), ("L", "home".into())]);
    }

    #[test]
    fn one_annotator_of_a_document_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let other = FILE.replace("PER[1]", "ORG[1]");
        for (name, content) in [
            ("annotation/a.txt/ann.tsv", FILE),
            ("annotation/a.txt/bob.tsv", other.as_str()),
            ("annotation/b.txt/INITIAL_CAS.tsv", FILE),
            ("annotation/b.txt/bob.tsv", other.as_str()),
            ("annotation/c.txt/ann.tsv", FILE),
            ("curation/c.txt/CURATION_USER.tsv", other.as_str()),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let (sentences, losses) = read_annotations(folder.path(), WebAnno, &AnnotationOptions::default()).unwrap();
        let found: Vec<(&str, &str)> =
            sentences.iter().step_by(2).map(|s| (s.id.as_str(), s.entities[0].kind.as_str())).collect();
        let expected = [
            ("curation/c.txt/CURATION_USER-1", "ORG"),
            ("annotation/a.txt/ann-1", "PER"),
            ("annotation/b.txt/bob-1", "ORG"),
        ];
        assert_eq!(found, expected);
        assert_eq!(losses.count(LossKind::FurtherAnnotation), 3);
    }

    #[test]
    fn a_layer_with_only_a_link_has_the_type_of_its_name() {
        let file = FILE
            .replace(
                "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value",
                "#T_SP=custom.Event|ROLE_custom.Event:who_custom.EventWhoLink|custom.Person",
            )
            .replace("BT_de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity", "BT_custom.Event")
            .replace("\t*[1]\tPER[1]", "\twho[1]\t1-6[1]")
            .replace("who[1]\t1-6[1]|LOC[2]", "who[1]\t1-6[1]");
        let file =
            file.replace("*[1]|*[2]\tPER[1]|LOC[2]", "_\t_").replace("Q7\tPER", "_\t_").replace("*\tLOC", "_\t_");
        let file = file.replace("met\t1-2[1_0]", "_\t_").replace("far\t1-6", "_\t_");
        let (sentences, losses) = read(WebAnno, &file);
        assert_eq!(span_texts(&sentences[0])[0].0, "Event", "{losses}");
        assert!(losses.count(LossKind::Attribute) > 0);
    }

    #[test]
    fn malformed_files_are_errors() {
        for (old, new, message) in [
            ("TSV 3.3", "TSV 2", "line 1: expected `#FORMAT=WebAnno TSV 3.3`, found"),
            ("#T_RL", "#T_XX", "line 4: expected a layer as T_SP, T_RL or T_CH, found"),
            ("3-6\tZoë", "4-7\tZoë", "line 9: expected \"Zoë\" at 4-7 in UTF-16 units, found \"oë \""),
            ("3-6\tZoë", "1-6\tZoë", "line 9: expected offsets within the sentence, in UTF-16 units, found"),
            ("_\t_\t\n1-2", "_\t\n1-2", "line 8: expected values such as PER[1]|LOC[2], found \"\""),
            ("PER[1]|LOC[2]", "PER[1]|LOC[2", "line 11: expected values such as PER[1]|LOC[2], found \"PER[1]|LOC[2\""),
            (
                "_\t_\t_\t_\t_\t\n1-2",
                "_\t\n1-2",
                "line 8: expected 5 columns after the token, as the header says, found",
            ),
            ("1-2[1_0]", "9-9[1_0]", "line 13: expected the id of a token as governor, found \"9-9\""),
            ("1-2[1_0]", "1-2[1]", "line 13: expected a governor such as 1-2[1_0], found \"1-2[1]\""),
            ("#Text=In", "#Other=In", "line 16: expected `#Text=` before the tokens of a sentence, found"),
        ] {
            let error = first_error(WebAnno, &FILE.replacen(old, new, 1));
            assert!(error.starts_with(message), "{error}\n{message}");
        }
        assert_eq!(first_error(WebAnno, ""), "expected `#FORMAT=WebAnno TSV 3.3`, found an empty file");
    }
}
