//! A sentence as lines for a terminal.

use std::fmt::Write;

use anstyle::Style;
use cman_data::{Entity, Sentence};

use crate::palette::TypeColours;

/// Draws a sentence: its id and its tokens, with entities in brackets, then a line per relation.
///
/// `[Ada]Peop` is an entity; brackets nest like the entities. `coloured` adds ANSI colours by type, which carry no
/// information of their own. Control characters of the text are escaped, so that it cannot change the terminal.
///
/// # Panics
/// If an argument of a relation is not an entity, or an entity of a relation extends past the sentence.
pub fn terminal(sentence: &Sentence, colours: &TypeColours, coloured: bool) -> String {
    let id = printable(sentence.id.as_str());
    let indent = id.chars().count() + 2;
    let paint = |text: &str, style: Style| {
        if coloured { format!("{}{text}{}", style.render(), style.render_reset()) } else { text.to_owned() }
    };
    let style = |entity: &Entity| colours.entities.style(&entity.kind);
    let mut out = format!("{id}  ");
    for (i, word) in sentence.words().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        // The longest entity opens first, and closes last.
        let mut starting: Vec<&Entity> = sentence.entities.iter().filter(|entity| entity.start == i).collect();
        starting.sort_by_key(|entity| std::cmp::Reverse(entity.end));
        starting.iter().for_each(|entity| out += &paint("[", style(entity).bold()));
        let inside = sentence.entities.iter().filter(|entity| entity.span().contains(&i));
        match inside.min_by_key(|entity| entity.end - entity.start) {
            Some(entity) => out += &paint(&printable(word), style(entity)),
            None => out += &printable(word),
        }
        let mut ending: Vec<&Entity> = sentence.entities.iter().filter(|entity| entity.end == i + 1).collect();
        ending.sort_by_key(|entity| std::cmp::Reverse(entity.start));
        ending.iter().for_each(|entity| out += &paint(&format!("]{}", printable(&entity.kind)), style(entity).bold()));
    }
    out.push('\n');
    for relation in &sentence.relations {
        let [head, tail] = [relation.head, relation.tail].map(|i| {
            let entity = &sentence.entities[i];
            paint(&printable(&sentence.span_text(entity.span())), style(entity))
        });
        let kind = paint(&printable(&relation.kind), colours.relations.style(&relation.kind).bold());
        let _ = writeln!(out, "{:indent$}{head} --{kind}--> {tail}", "");
    }
    out
}

/// The text with escapes in place of control characters and of characters that change the direction of writing. A
/// terminal would obey them.
pub fn printable(text: &str) -> String {
    let is_control = |char: char| {
        char.is_control() || matches!(char, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        if is_control(char) { printable.extend(char.escape_default()) } else { printable.push(char) }
    }
    printable
}

#[cfg(test)]
mod tests {
    use cman_data::Relation;

    use super::*;

    fn nested() -> Sentence {
        let mut sentence = Sentence::from_tokens("s7", ["Ada", "left", "University", "of", "London"]);
        sentence.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 4..5), Entity::new("Org", 2..5)];
        sentence.relations = vec![Relation::new("Work_For", 0, 2), Relation::new("Based_In", 2, 1)];
        sentence
    }

    #[test]
    fn entities_are_nested_brackets_and_relations_are_lines() {
        let sentence = nested();
        let expected = "s7  [Ada]Peop left [University of [London]Loc]Org\n    \
                        Ada --Work_For--> University of London\n    University of London --Based_In--> London\n";
        assert_eq!(terminal(&sentence, &TypeColours::of([&sentence]), false), expected);
    }

    #[test]
    fn colours_change_nothing_but_the_colours() {
        let sentence = nested();
        let colours = TypeColours::of([&sentence]);
        let coloured = terminal(&sentence, &colours, true);
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain += before;
            rest = after.split_once('m').unwrap().1;
        }
        plain += rest;
        assert_ne!(coloured, plain);
        assert_eq!(plain, terminal(&sentence, &colours, false));
    }

    #[test]
    fn overlapping_entities_keep_their_ends() {
        let mut sentence = Sentence::from_tokens("1", ["a", "b", "c"]);
        sentence.entities = vec![Entity::new("X", 0..2), Entity::new("Y", 1..3)];
        assert_eq!(terminal(&sentence, &TypeColours::default(), false), "1  [a [b]X c]Y\n");
    }

    #[test]
    fn text_cannot_control_the_terminal() {
        let mut sentence = Sentence::from_tokens("\u{1b}[2J", ["a\u{1b}]0;x\u{7}", "b\u{202E}", "\u{9b}31m"]);
        sentence.entities = vec![Entity::new("\u{1b}c", 0..1), Entity::new("X", 1..2)];
        sentence.relations = vec![Relation::new("\u{8}", 0, 1)];
        let drawn = terminal(&sentence, &TypeColours::of([&sentence]), false);
        assert!(drawn.chars().all(|char| char == '\n' || !char.is_control()), "{drawn:?}");
        assert!(drawn.contains("\\u{1b}[2J") && drawn.contains("b\\u{202e}"), "{drawn:?}");
    }
}
