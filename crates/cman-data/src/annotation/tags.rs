//! Writer for columns of tokens and BIO or BIOES tags.

use std::fmt::Write as _;

use super::{
    gliner::count_token_losses,
    losses::{LossKind, Losses},
};
use crate::{
    bio::{Span, Tag, encode},
    error::{DataError, Location, Quoted},
    labels::LabelSet,
    sentence::Sentence,
};

/// The lines of a sentence: token, tab and tag, and a blank line.
pub(super) fn record(
    sentence: &Sentence,
    bioes: bool,
    at: &Location,
    losses: &mut Losses,
) -> Result<String, DataError> {
    count_token_losses(sentence, at, losses);
    for relation in &sentence.relations {
        losses.add(LossKind::Relation, format!("{at}: {}", Quoted(&relation.kind)));
    }
    let mut kinds = LabelSet::default();
    let spans: Vec<Span> = sentence
        .entities
        .iter()
        .map(|entity| Span { start: entity.start, end: entity.end, kind: kinds.insert(entity.kind.as_str()) })
        .collect();
    let (tags, written) = encode(&spans, sentence.len());
    for (entity, _) in sentence.entities.iter().zip(written).filter(|(_, written)| !written) {
        let text = sentence.span_text(entity.span());
        losses.add(LossKind::OverlappingEntity, format!("{at}: {} {}", Quoted(&entity.kind), Quoted(&text)));
    }
    let names: Vec<String> = kinds.names().iter().map(|kind| last_column(kind, at, losses)).collect();
    let mut lines = String::new();
    for (i, (word, &tag)) in sentence.words().zip(&tags).enumerate() {
        let is_last = |kind: usize| tags.get(i + 1) != Some(&Tag::Inside(kind));
        let (prefix, kind) = match tag {
            Tag::Outside => ("O", None),
            Tag::Begin(kind) if bioes && is_last(kind) => ("S-", Some(kind)),
            Tag::Begin(kind) => ("B-", Some(kind)),
            Tag::Inside(kind) if bioes && is_last(kind) => ("E-", Some(kind)),
            Tag::Inside(kind) => ("I-", Some(kind)),
        };
        let kind = kind.map_or("", |kind| names[kind].as_str());
        // Writing to a text does not fail.
        _ = writeln!(lines, "{}\t{prefix}{kind}", first_column(word, at, losses));
    }
    lines.push('\n');
    Ok(lines)
}

/// A token. Readers take a line that starts with `#` or `-DOCSTART-` for a comment.
fn first_column(word: &str, at: &Location, losses: &mut Losses) -> String {
    let is_comment = word.starts_with('#') || word.starts_with("-DOCSTART-");
    replaced(word, at, losses, |i, char| (i == 0 && is_comment) || matches!(char, '\t' | '\n' | '\r'))
}

/// A type. Readers remove white space at the end of a line.
fn last_column(kind: &str, at: &Location, losses: &mut Losses) -> String {
    replaced(kind, at, losses, |_, char| char.is_whitespace())
}

/// The text with `_` for the characters that the columns cannot hold.
fn replaced(text: &str, at: &Location, losses: &mut Losses, is_bad: impl Fn(usize, char) -> bool) -> String {
    let name: String = text.chars().enumerate().map(|(i, char)| if is_bad(i, char) { '_' } else { char }).collect();
    if name != text {
        losses.add(LossKind::Name, format!("{at}: {}, written as {}", Quoted(text), Quoted(&name)));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::{
        AnnotationFormat::{Bio, Bioes},
        fixture::{read, write},
    };
    use super::*;
    use crate::sentence::{Entity, Relation};

    #[test]
    fn tags_are_written_and_read() {
        let mut sentence = Sentence::from_tokens("1", ["#Ann", "Lee", "Bob", "met", "a\tb", "#", "x"]);
        sentence.entities =
            vec![Entity::new("P", 0..2), Entity::new("P", 2..3), Entity::new("Q R", 4..7), Entity::new("S", 5..6)];
        sentence.relations = vec![Relation::new("met", 0, 1)];
        let two = [sentence.clone(), sentence];
        let (bioes, losses) = write(&two, Bioes);
        let expected = "_Ann\tB-P\nLee\tE-P\nBob\tS-P\nmet\tO\na_b\tB-Q_R\n_\tI-Q_R\nx\tE-Q_R\n\n";
        assert_eq!(bioes, expected.repeat(2));
        for (kind, count) in
            [(LossKind::Relation, 2), (LossKind::OverlappingEntity, 2), (LossKind::Id, 1), (LossKind::Name, 8)]
        {
            assert_eq!(losses.count(kind), count, "{kind}");
        }
        let (bio, _) = write(&two, Bio);
        assert_eq!(read(Bio, &bio).0, read(Bioes, &bioes).0);
        let entities = [Entity::new("P", 0..2), Entity::new("P", 2..3), Entity::new("Q_R", 4..7)];
        assert_eq!(read(Bio, &bio).0[1].entities, entities);
    }
}
