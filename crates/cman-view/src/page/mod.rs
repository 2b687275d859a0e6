//! The HTML page.

mod data;
mod drawing;

use cman_data::{Schema, Sentence};
use cman_score::{Scores, score};

pub use drawing::{drawing_script, drawing_style};

use crate::{
    annotated::{AnnotatedSentence, check},
    error::ViewError,
};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// The script, one concept a file. The page has them in one scope.
const SCRIPTS: [&str; 4] =
    [include_str!("filter.js"), include_str!("list.js"), include_str!("confidence.js"), include_str!("main.js")];

/// A page of annotated sentences: one HTML file that needs no other.
///
/// Its content security policy forbids every request. All text of the sentences is data, never markup.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    sentences: Vec<AnnotatedSentence>,
    gold: Option<Gold>,
}

/// Gold annotation, and the strict scores against it.
#[derive(Clone, Debug)]
struct Gold {
    sentences: Vec<Sentence>,
    scores: Scores,
}

impl Page {
    /// A page of these sentences.
    ///
    /// # Errors
    /// If an entity is empty or extends past its sentence, or if an argument of a relation is not an entity.
    pub fn new(title: impl Into<String>, sentences: Vec<AnnotatedSentence>) -> Result<Self, ViewError> {
        sentences.iter().enumerate().try_for_each(|(i, sentence)| check(i, &sentence.sentence))?;
        Ok(Self { title: title.into(), sentences, gold: None })
    }

    /// Adds the gold annotation of the same sentences, in the same order. The page then shows what is wrong with each
    /// prediction ([`compare`](crate::compare)) and what was missed.
    ///
    /// # Errors
    /// If the sentences are not the same, or if the gold annotation is invalid.
    pub fn gold(self, gold: Vec<Sentence>) -> Result<Self, ViewError> {
        let predicted: Vec<Sentence> = self.sentences.iter().map(|annotated| annotated.sentence.clone()).collect();
        for (index, (predicted, gold)) in predicted.iter().zip(&gold).enumerate() {
            let mut words = predicted.words().zip(gold.words());
            if let Some((found, expected)) = words.find(|(found, expected)| found != expected) {
                let (id, expected, found) = (gold.id.to_string(), expected.to_owned(), found.to_owned());
                return Err(ViewError::Word { index, id, expected, found });
            }
        }
        let scores = score(&gold, &predicted, &Schema::default())?;
        Ok(Self { gold: Some(Gold { sentences: gold, scores }), ..self })
    }

    /// The HTML.
    pub fn html(&self) -> String {
        fill(TEMPLATE, |name| match name {
            "title" => escape(&self.title),
            "style" => format!("{}{STYLE}", drawing_style()),
            "data" => data::json(self),
            "script" => drawing_script() + &SCRIPTS.concat(),
            _ => unreachable!("the template has no other names"),
        })
    }
}

/// Replaces every `{{name}}` of the template. The values are not searched for names.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").expect("every name of the template is closed");
        filled += &value(name);
        filled += rest;
    }
    filled
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use cman_data::{Entity, Relation};

    use super::*;

    fn hostile() -> Sentence {
        let mut sentence =
            Sentence::from_tokens("</script>", ["</script><script>alert(1)</script>", "{{title}}", "<!--"]);
        sentence.entities = vec![Entity::new("<b>", 0..1), Entity::new("&amp;", 1..2)];
        sentence.relations = vec![Relation::new("<img src=x onerror=alert(1)>", 0, 1)];
        sentence
    }

    #[test]
    fn text_of_sentences_is_never_markup() {
        let title = "</title><script>alert(1)</script>";
        let html = Page::new(title, vec![hostile().into()]).unwrap().gold(vec![hostile()]).unwrap().html();
        let plain = Page::new("t", vec![Sentence::from_tokens("1", ["a"]).into()]).unwrap().html();
        for tag in ["<script", "</script", "<b>", "<img", "<!--", "</title"] {
            assert_eq!(html.matches(tag).count(), plain.matches(tag).count(), "{tag}");
        }
        // Inserted text is not searched for the names of the template.
        assert_eq!(html.matches("{{title}}").count(), 1);
        let data = html.split_once(r#"type="application/json">"#).unwrap().1.split_once("</script>").unwrap().0;
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["sentences"][0][1][0], "</script><script>alert(1)</script>");
    }

    #[test]
    fn the_page_refers_to_nothing_outside() {
        let html = Page::new("t", vec![hostile().into()]).unwrap().html();
        assert!(html.contains("default-src 'none'"));
        for address in ["http:", "https:", "src=\"", "url(", "@import", "fetch("] {
            let own = "http://www.w3.org/2000/svg";
            assert!(!html.replace(own, "").contains(address), "{address}");
        }
    }

    #[test]
    fn gold_annotation_of_other_sentences_is_an_error() {
        let page = || Page::new("t", vec![Sentence::from_tokens("1", ["a", "b"]).into()]).unwrap();
        let error = page().gold(vec![Sentence::from_tokens("g", ["a", "c"])]).unwrap_err();
        assert_eq!(error.to_string(), r#"sentence 1 is not gold sentence `g`: expected the word "c", found "b""#);
        assert!(matches!(page().gold(Vec::new()), Err(ViewError::Score(_))));
        assert!(page().gold(vec![Sentence::from_tokens("g", ["a", "b"])]).is_ok());
    }
}
