//! brat's standoff: `NAME.txt` with the text and `NAME.ann` with the annotation.

use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    annotation_source::AnnotationSource,
    brat_line::{Line, Relation, TextBound},
    collector::Collector,
    document::{Document, DocumentRelation, DocumentSpan},
    losses::LossKind,
    natural_order::natural_order,
    offsets::{Offsets, Unit, fitting, is_same_text},
    tree::{files, read_text},
};
use crate::{
    error::{DataError, Location, Quoted},
    id::Id,
};

/// brat counts code points of the file. Programs that read the file as text join CR and LF.
const UNITS: [Unit; 2] = [Unit::CODE_POINTS, Unit::CODE_POINTS_LF];

/// Reads a folder tree, or one document by its `.txt` or `.ann` file.
pub(super) fn read(collector: &mut Collector, source: AnnotationSource) -> Result<(), DataError> {
    let AnnotationSource::Path(path) = source else {
        let expected = "a folder, or a .txt file with a .ann file beside it";
        return Err(DataError::invalid(source.location(), "", expected, "one file without the other"));
    };
    // A document is a name; its files need not both exist.
    let mut documents: Vec<PathBuf> =
        files(path, &["txt", "ann"])?.into_iter().map(|file| file.with_extension("")).collect();
    documents.sort_by(|a, b| natural_order(a, b));
    documents.dedup();
    for name in documents {
        let read = document(collector, path, &name)
            .and_then(|document| collector.add(&document, &Location::file(with(&name, "ann"))));
        collector.record(read)?;
    }
    Ok(())
}

/// The file of a document, whose name may have dots of its own.
fn with(name: &Path, extension: &str) -> PathBuf {
    let mut file = name.as_os_str().to_owned();
    file.push(".");
    file.push(extension);
    file.into()
}

fn document(collector: &mut Collector, root: &Path, name: &Path) -> Result<Document, DataError> {
    let (text_path, annotation_path) = (with(name, "txt"), with(name, "ann"));
    if !text_path.is_file() {
        let expected = format!("the text of {} beside it", annotation_path.display());
        return Err(DataError::invalid(Location::file(text_path), "", expected, "no such file"));
    }
    let relative = name.strip_prefix(root).unwrap_or(name);
    let relative = if root.is_dir() { relative } else { relative.file_name().map_or(relative, Path::new) };
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    let mut document = Document { id: Id::name(parts.join("/")), text: read_text(&text_path)?, ..Document::default() };
    if annotation_path.is_file() {
        let lines = lines(&annotation_path)?;
        add(&mut document, &lines, &Location::file(annotation_path), collector)?;
    } else {
        collector.lose(LossKind::Unannotated, &Location::file(text_path), "");
    }
    Ok(document)
}

/// The lines of an annotation file with their numbers.
fn lines(path: &Path) -> Result<Vec<(usize, Line)>, DataError> {
    let text = read_text(path)?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| match Line::parse(line) {
            Ok(parsed) => Ok((number, parsed)),
            Err(expected) => {
                let at = Location::file(path).with_line(number);
                Err(DataError::invalid(at, "", expected, Quoted(line).to_string()))
            }
        })
        .collect()
}

/// Adds the annotation to the document.
fn add(
    document: &mut Document,
    lines: &[(usize, Line)],
    file: &Location,
    collector: &mut Collector,
) -> Result<(), DataError> {
    let at = |line: usize| file.clone().with_line(line);
    let unit = unit(&document.text, lines, file)?;
    let offsets = Offsets::new(&document.text, unit);
    let mut by_id = HashMap::new();
    for (line, parsed) in lines {
        let Line::TextBound(TextBound { id, kind, fragments, .. }) = parsed else { continue };
        let chars: Option<Vec<Range<usize>>> = fragments.iter().map(|part| offsets.chars(part.clone())).collect();
        let Some(chars) = chars.filter(|chars| !chars.is_empty()) else { continue };
        // A span is also written in parts where it has a line end.
        let gap = |pair: &[Range<usize>]| {
            let (end, start) = (pair[0].end, pair[1].start);
            start < end || !offsets.text(end..start).chars().all(char::is_whitespace)
        };
        if chars.windows(2).any(gap) {
            collector.lose(LossKind::DiscontinuousEntity, &at(*line), id);
        }
        let start = chars.iter().map(|part| part.start).min().unwrap_or_default();
        let end = chars.iter().map(|part| part.end).max().unwrap_or_default();
        if by_id.insert(id.clone(), document.spans.len()).is_some() {
            return Err(DataError::invalid(at(*line), "", "an id that is used once", id));
        }
        document.spans.push(DocumentSpan { kind: kind.clone(), chars: start..end, name: id.clone() });
    }
    for (line, parsed) in lines {
        match parsed {
            Line::TextBound(_) => {}
            Line::Relation(Relation { id, kind, arguments }) => {
                let argument = |target: &str| match by_id.get(target) {
                    Some(&span) => Ok(Some(span)),
                    // An event is no entity.
                    None if target.starts_with('E') => Ok(None),
                    None => Err(DataError::invalid(at(*line), id, "arguments that are defined", target)),
                };
                match (argument(&arguments[0])?, argument(&arguments[1])?) {
                    (Some(head), Some(tail)) => {
                        let (kind, name) = (kind.clone(), id.clone());
                        document.relations.push(DocumentRelation { kind, head, tail, name });
                    }
                    _ => collector.lose(LossKind::RelationWithoutEntity, &at(*line), id),
                }
            }
            Line::Other { kind, id } => collector.lose(*kind, &at(*line), id),
        }
    }
    Ok(())
}

/// The unit of the offsets.
fn unit(text: &str, lines: &[(usize, Line)], file: &Location) -> Result<Unit, DataError> {
    let bounds = || {
        lines.iter().filter_map(|(line, parsed)| match parsed {
            Line::TextBound(bound) => Some((*line, bound)),
            _ => None,
        })
    };
    let spans: Vec<(Range<usize>, Option<&str>)> = bounds()
        .filter(|(_, bound)| bound.fragments.len() == 1)
        .map(|(_, bound)| (bound.fragments[0].clone(), Some(bound.text.as_str())))
        .collect();
    // Spans of one part decide; without a line end of CR and LF there is nothing to decide.
    let unit = fitting(text, &UNITS, &spans).first().copied().unwrap_or(Unit::CODE_POINTS);
    let offsets = Offsets::new(text, unit);
    let joined = |bound: &TextBound| {
        let parts = bound.fragments.iter().map(|part| offsets.chars(part.clone()).map(|chars| offsets.text(chars)));
        parts.collect::<Option<Vec<String>>>().map(|parts| parts.join(" "))
    };
    let fits = |bound: &TextBound| joined(bound).is_some_and(|found| is_same_text(&found, &bound.text));
    let Some((line, bound)) = bounds().find(|(_, bound)| !fits(bound)) else { return Ok(unit) };
    let found = joined(bound).map(|found| Quoted(&found).to_string());
    let at = bound.fragments.iter().map(|part| format!("{}..{}", part.start, part.end)).collect::<Vec<_>>();
    let expected = format!("{} at characters {}", Quoted(&bound.text), at.join(" and "));
    let found = found.unwrap_or_else(|| "no such characters".to_owned());
    Err(DataError::invalid(file.clone().with_line(line), &bound.id, expected, found))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{AnnotationFormat::Brat, AnnotationOptions, Losses, fixture::span_texts, read_annotations};
    use super::*;
    use crate::sentence::{Relation, Sentence};

    fn read_folder(files: &[(&str, &str)]) -> Result<(Vec<Sentence>, Losses), String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let read = read_annotations(folder.path(), Brat, &AnnotationOptions::default());
        read.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    const TEXT: &str = "Zoë 😀 met Dr. שרה\r\nLevi.\r\n\r\nBob and Al Ray ran.";
    const ANNOTATION: &str = "T1\tP 0 3\tZoë\nT2\tP 14 17;19 23\tשרה Levi\nT3\tP 28 31;39 42\tBob Ray\r\n\
        T4\tRun 43 46\tran\nE1\tRun:T4 Who:T3\nR1\tMet Arg1:T1 Arg2:T2\t\nR2\tFar Arg1:T1 Arg2:T3\n\
        R3\tIs Arg1:T3 Arg2:E1\n*\tEquiv T1 T2\nA1\tNegation E1\nM1\tMod E1 yes\nN1\tReference T1 W:1\tZoë\n\
        #1\tAnnotatorNotes T1\tsure?\n\n";

    #[test]
    fn a_tree_of_pairs_is_read() {
        let (sentences, losses) =
            read_folder(&[("a/one.v2.txt", TEXT), ("a/one.v2.ann", ANNOTATION), ("two.txt", "No."), (".x.txt", "")])
                .unwrap();
        assert_eq!(sentences.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["a/one.v2-1", "a/one.v2-2", "two-1"]);
        assert_eq!(span_texts(&sentences[0]), [("P", "Zoë".into()), ("P", "שרה\r\nLevi".into())]);
        assert_eq!(sentences[0].relations, [Relation::new("Met", 0, 1)]);
        assert_eq!(span_texts(&sentences[1]), [("P", "Bob and Al Ray".into()), ("Run", "ran".into())]);
        for (kind, count) in [
            (LossKind::DiscontinuousEntity, 1),
            (LossKind::Event, 1),
            (LossKind::RelationAcrossSentences, 1),
            (LossKind::RelationWithoutEntity, 1),
            (LossKind::Coreference, 1),
            (LossKind::Attribute, 3),
            (LossKind::Note, 1),
            (LossKind::Unannotated, 1),
            (LossKind::DividedDocument, 1),
        ] {
            assert_eq!(losses.count(kind), count, "{kind}");
        }
        assert_eq!(losses.kinds().len(), 9);
    }

    #[test]
    fn programs_that_join_line_ends_are_read() {
        let (sentences, _) = read_folder(&[("a.txt", "x\r\ny\r\nAnn"), ("a.ann", "T1\tP 4 7\tAnn\n")]).unwrap();
        assert_eq!(span_texts(&sentences[0]), [("P", "Ann".into())]);
    }

    #[test]
    fn malformed_files_are_errors() {
        let text = "😀 Ann left";
        for (annotation, message) in [
            ("T1\tP 3 6\tAnn", "a.ann: line 1, T1: expected \"Ann\" at characters 3..6, found \"nn \""),
            ("\nT1\tP 2 99\tAnn", "a.ann: line 2, T1: expected \"Ann\" at characters 2..99, found no such characters"),
            ("T1\tP 2\tAnn", "a.ann: line 1: expected `ID TAB TYPE START END TAB TEXT`, found \"T1\\tP 2\\tAnn\""),
            ("T1\tP 2 5\tAnn\nT1\tP 2 5\tAnn", "a.ann: line 2: expected an id that is used once, found T1"),
            ("R1\tR Arg1:T1 Arg2:T2", "a.ann: line 1, R1: expected arguments that are defined, found T1"),
            ("R1\tR T1 T2", "a.ann: line 1: expected `ID TAB TYPE ROLE:ID ROLE:ID`, found"),
            ("hello", "a.ann: line 1: expected a line that starts with the id of an annotation and a tab, found"),
        ] {
            let error = read_folder(&[("a.txt", text), ("a.ann", annotation)]).unwrap_err();
            assert!(error.starts_with(message), "{error}\n{message}");
        }
        let error = read_folder(&[("b.ann", "")]).unwrap_err();
        assert_eq!(error, "b.txt: expected the text of b.ann beside it, found no such file");
        assert!(read_folder(&[]).unwrap_err().ends_with("no sentences (0 records read)"));
    }
}
