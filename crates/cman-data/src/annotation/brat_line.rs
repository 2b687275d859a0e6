//! One line of brat's annotation.

use std::ops::Range;

use super::losses::LossKind;

/// A parsed line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    TextBound(TextBound),
    Relation(Relation),
    /// Annotation that is left out.
    Other {
        kind: LossKind,
        id: String,
    },
}

/// `T1 TAB Type 0 5;8 10 TAB text`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TextBound {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) fragments: Vec<Range<usize>>,
    pub(super) text: String,
}

/// `R1 TAB Type Arg1:T1 Arg2:T2`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) arguments: [String; 2],
}

impl Line {
    /// Parses a line. The error is what was expected.
    pub(super) fn parse(line: &str) -> Result<Self, &'static str> {
        let mut columns = line.splitn(3, '\t');
        let id = columns.next().unwrap_or_default().to_owned();
        let body = columns.next().unwrap_or_default();
        let kind = match id.as_bytes().first() {
            Some(b'T') => {
                return text_bound(id, body, columns.next()).ok_or("`ID TAB TYPE START END TAB TEXT`");
            }
            Some(b'R') => return relation(id, body).ok_or("`ID TAB TYPE ROLE:ID ROLE:ID`"),
            Some(b'*') => LossKind::Coreference,
            Some(b'E') => LossKind::Event,
            Some(b'A' | b'M' | b'N') => LossKind::Attribute,
            Some(b'#') => LossKind::Note,
            _ => return Err("a line that starts with the id of an annotation and a tab"),
        };
        if body.is_empty() {
            return Err("a line that starts with the id of an annotation and a tab");
        }
        Ok(Self::Other { kind, id })
    }
}

fn text_bound(id: String, body: &str, text: Option<&str>) -> Option<Line> {
    let (kind, offsets) = body.split_once(' ')?;
    let fragment = |fragment: &str| {
        let (start, end) = fragment.trim().split_once(' ')?;
        Some(start.parse().ok()?..end.trim().parse().ok()?)
    };
    let fragments = offsets.split(';').map(fragment).collect::<Option<Vec<Range<usize>>>>()?;
    Some(Line::TextBound(TextBound { id, kind: kind.to_owned(), fragments, text: text?.to_owned() }))
}

fn relation(id: String, body: &str) -> Option<Line> {
    let mut parts = body.split_whitespace();
    let kind = parts.next()?.to_owned();
    let [first, second] = [parts.next()?.split_once(':')?, parts.next()?.split_once(':')?];
    if parts.next().is_some() {
        return None;
    }
    // The roles of a scheme may have other names, and are then in order.
    let (head, tail) = if first.0 == "Arg2" && second.0 == "Arg1" { (second.1, first.1) } else { (first.1, second.1) };
    Some(Line::Relation(Relation { id, kind, arguments: [head.to_owned(), tail.to_owned()] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_in_the_order_of_their_roles() {
        for (body, arguments) in
            [("R Arg1:T1 Arg2:T2", ["T1", "T2"]), ("R Arg2:T1 Arg1:T2", ["T2", "T1"]), ("R Of:T5 In:T4", ["T5", "T4"])]
        {
            let relation = Relation { id: "R1".into(), kind: "R".into(), arguments: arguments.map(str::to_owned) };
            assert_eq!(Line::parse(&format!("R1\t{body}\t")), Ok(Line::Relation(relation)));
        }
        assert!(Line::parse("R1\tR Arg1:T1 Arg2:T2 Arg3:T3").is_err());
    }

    #[test]
    fn text_may_have_tabs_and_parts() {
        let bound = TextBound { id: "T1".into(), kind: "P".into(), fragments: vec![0..2, 4..6], text: "a\tb".into() };
        assert_eq!(Line::parse("T1\tP 0 2;4 6\ta\tb"), Ok(Line::TextBound(bound)));
        for line in ["T1\tP -1 2\tab", "T1\tP 0 2", "T1\tP 0 2;\tab", "T1", "", "E1", "x\ty"] {
            assert!(Line::parse(line).is_err(), "{line}");
        }
    }
}
