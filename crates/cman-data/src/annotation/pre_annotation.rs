//! Predictions as the tasks of annotation tools, for correction by hand.

use std::{io::Write, path::Path};

use super::{
    brat_writer::Folder,
    format::AnnotationFormat,
    losses::{LossKind, Losses},
    prediction::Prediction,
    write::{Framing, Records, check, framing},
};
use crate::{
    corpus::write_error,
    error::{DataError, Location},
    id::Id,
    labels::Schema,
    sentence::{Entity, Relation, Sentence, Token},
};

/// A document with predicted annotation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreAnnotation {
    /// The id.
    pub id: Id,
    /// The text. Without one, it is the tokens of all sentences, joined by spaces.
    pub text: Option<String>,
    /// The sentences, in the order of the text. Text outside of them is kept without annotation.
    pub sentences: Vec<PredictedSentence>,
}

/// A sentence of a document, with the confidence of its annotation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PredictedSentence {
    /// The sentence. Its entities and relations are the prediction.
    pub sentence: Sentence,
    /// First character of the sentence in [`PreAnnotation::text`], in Unicode scalar values.
    pub offset: usize,
    /// The confidence of each entity, from 0 to 1; entities past the end of the list have none.
    pub entity_confidences: Vec<f64>,
    /// The confidence of each relation, likewise.
    pub relation_confidences: Vec<f64>,
}

impl PreAnnotation {
    /// The document as one sentence, with the confidences of its annotation.
    fn whole<'a>(&self, model: &'a str) -> (Sentence, Prediction<'a>) {
        let mut whole = Sentence { id: self.id.clone(), text: self.text.clone(), ..Sentence::default() };
        let mut prediction = Prediction { model, entities: Vec::new(), relations: Vec::new() };
        for PredictedSentence { sentence, offset, entity_confidences, relation_confidences } in &self.sentences {
            let (token, entity) = (whole.tokens.len(), whole.entities.len());
            whole.tokens.extend(sentence.tokens.iter().map(|own| Token {
                text: own.text.clone(),
                chars: own.chars.as_ref().map(|chars| offset + chars.start..offset + chars.end),
            }));
            let entities = sentence.entities.iter();
            whole.entities.extend(entities.map(|own| Entity::new(&own.kind, token + own.start..token + own.end)));
            let relations = sentence.relations.iter();
            whole.relations.extend(relations.map(|own| Relation::new(&own.kind, entity + own.head, entity + own.tail)));
            prediction.entities.extend((0..sentence.entities.len()).map(|i| entity_confidences.get(i).copied()));
            prediction.relations.extend((0..sentence.relations.len()).map(|i| relation_confidences.get(i).copied()));
        }
        (whole, prediction)
    }

    /// The sentences, with ids from the document's.
    fn parts(&self) -> impl Iterator<Item = Sentence> {
        let several = self.sentences.len() > 1;
        (1..).zip(&self.sentences).map(move |(number, predicted)| {
            let id = if several { Id::name(format!("{}-{number}", self.id)) } else { self.id.clone() };
            Sentence { id, ..predicted.sentence.clone() }
        })
    }
}

/// Writes predictions as the tasks of an annotation tool, which imports them for correction by hand.
///
/// A document is one task, with all its sentences; formats of single sentences get a record per sentence. Label Studio
/// gets `predictions` in place of `annotations`, Prodigy gets tasks without an answer, and brat gets an
/// `annotation.conf` with the types. Label Studio, Prodigy and brat keep the confidences.
///
/// ```
/// use cman_data::{
///     AnnotationFormat, Entity, PreAnnotation, PreAnnotationWriter, PredictedSentence, Sentence, sentences_from_text,
/// };
///
/// # fn main() -> Result<(), cman_data::DataError> {
/// let text = "It rained. Ada left London.";
/// let raw = sentences_from_text(text).remove(1);
/// let sentence = Sentence { entities: vec![Entity::new("Peop", 0..1)], ..raw.sentence };
/// let predicted = PredictedSentence { sentence, offset: raw.offset, entity_confidences: vec![0.9], ..Default::default() };
/// let document = PreAnnotation { id: "7".into(), text: Some(text.into()), sentences: vec![predicted] };
///
/// let mut tasks = Vec::new();
/// let mut writer = PreAnnotationWriter::to_writer(&mut tasks, AnnotationFormat::Doccano, "model")?;
/// writer.write(&document)?;
/// writer.finish()?;
/// let tasks = String::from_utf8(tasks).expect("UTF-8");
/// assert!(tasks.contains(r#"{"id":1,"start_offset":11,"end_offset":14,"label":"Peop"}"#));
/// # Ok(())
/// # }
/// ```
pub struct PreAnnotationWriter<W> {
    target: Target<W>,
    format: AnnotationFormat,
    model: String,
    records: Records,
    losses: Losses,
    /// Number of records so far.
    number: usize,
}

enum Target<W> {
    Stream { writer: W, framing: Framing },
    Folder(Folder),
}

impl<W: Write> PreAnnotationWriter<W> {
    /// Writes to a stream. `model` names the model.
    ///
    /// # Errors
    /// [`DataError::Inexpressible`] for a format that is only read, or is a folder.
    pub fn to_writer(writer: W, format: AnnotationFormat, model: impl Into<String>) -> Result<Self, DataError> {
        Ok(Self::new(Target::Stream { writer, framing: framing(format)? }, format, model.into()))
    }

    /// Writes to a new or empty folder, in the format of brat. `schema` has the types that the annotator may choose.
    ///
    /// # Errors
    /// [`DataError::Io`] if the folder cannot be written, [`DataError::Invalid`] if it has files.
    pub fn to_folder(folder: impl AsRef<Path>, model: impl Into<String>, schema: &Schema) -> Result<Self, DataError> {
        let mut target = Folder::create(folder.as_ref())?;
        target.write_types(schema)?;
        Ok(Self::new(Target::Folder(target), AnnotationFormat::Brat, model.into()))
    }

    fn new(target: Target<W>, format: AnnotationFormat, model: String) -> Self {
        Self { target, format, model, records: Records::default(), losses: Losses::default(), number: 0 }
    }

    /// Writes a document.
    ///
    /// # Errors
    /// [`DataError::Invalid`] for a document without sentences and for an invalid sentence, [`DataError::Io`] if writing
    /// fails.
    pub fn write(&mut self, document: &PreAnnotation) -> Result<(), DataError> {
        let model = self.model.clone();
        let (whole, prediction) = document.whole(&model);
        let at = self.next(&whole)?;
        let keeps =
            matches!(self.format, AnnotationFormat::LabelStudio | AnnotationFormat::Prodigy | AnnotationFormat::Brat);
        if !keeps && prediction.mean().is_some() {
            self.losses.add(LossKind::Confidence, format!("{at}: {}", document.id));
        }
        match self.format {
            AnnotationFormat::Gliner
            | AnnotationFormat::UnifiedAde
            | AnnotationFormat::Bio
            | AnnotationFormat::Bioes => {
                self.number -= 1;
                for sentence in document.parts() {
                    let at = self.next(&sentence)?;
                    self.record(&[sentence], None, &at)?;
                }
                Ok(())
            }
            AnnotationFormat::Dygie => {
                let sentences: Vec<Sentence> = document
                    .sentences
                    .iter()
                    .map(|predicted| Sentence { id: document.id.clone(), ..predicted.sentence.clone() })
                    .collect();
                self.record(&sentences, None, &at)
            }
            _ => self.record(&[whole], Some(&prediction), &at),
        }
    }

    /// The location of the next record. Checks its sentence.
    fn next(&mut self, sentence: &Sentence) -> Result<Location, DataError> {
        self.number += 1;
        check(sentence, self.number)
    }

    fn record(
        &mut self,
        sentences: &[Sentence],
        prediction: Option<&Prediction>,
        at: &Location,
    ) -> Result<(), DataError> {
        match &mut self.target {
            Target::Folder(folder) => {
                sentences.iter().try_for_each(|sentence| folder.add(sentence, prediction, at, &mut self.losses))
            }
            Target::Stream { writer, framing } => {
                let record = self.records.record(sentences, self.format, prediction, at, &mut self.losses)?;
                framing.write(writer, &record)
            }
        }
    }

    /// Writes the end of the file. Returns what the format cannot express.
    ///
    /// # Errors
    /// [`DataError::Io`] if writing fails.
    pub fn finish(self) -> Result<Losses, DataError> {
        match self.target {
            Target::Folder(_) => {}
            Target::Stream { mut writer, framing } => {
                writer.write_all(framing.end().as_bytes()).and_then(|()| writer.flush()).map_err(write_error)?;
            }
        }
        Ok(self.losses)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AnnotationOptions, fixture::read_with, read_annotations};
    use super::*;
    use crate::tokenize::sentences_from_text;

    const TEXT: &str = "  😀 Ann Lee met Bob.\tShe left\r\nRome.  \n No.";

    /// The text with entities and relations in two of three sentences, each with a confidence.
    fn document() -> PreAnnotation {
        let raw = sentences_from_text(TEXT);
        let entities: [&[(&str, &str)]; 3] = [&[("P", "Ann Lee"), ("P", "Bob")], &[("P", "She"), ("L", "Rome")], &[]];
        let sentences = raw.into_iter().zip(entities).enumerate().map(|(i, (raw, entities))| {
            let mut sentence = raw.sentence;
            let words: Vec<&str> = sentence.words().collect();
            let entities: Vec<Entity> = entities
                .iter()
                .map(|(kind, text)| {
                    let n = text.split(' ').count();
                    let start = (0..words.len()).find(|&at| words[at..].join(" ").starts_with(text)).unwrap();
                    Entity::new(*kind, start..start + n)
                })
                .collect();
            if entities.len() > 1 {
                sentence.relations = vec![Relation::new("R", 1, 0)];
            }
            sentence.entities = entities;
            PredictedSentence {
                sentence,
                offset: raw.offset,
                entity_confidences: vec![0.5, 1.0],
                relation_confidences: vec![0.25 * i as f64],
            }
        });
        PreAnnotation { id: "d-7".into(), text: Some(TEXT.into()), sentences: sentences.collect() }
    }

    fn written(document: &PreAnnotation, format: AnnotationFormat) -> (String, Losses) {
        let mut bytes = Vec::new();
        let mut writer = PreAnnotationWriter::to_writer(&mut bytes, format, "m 1").unwrap();
        writer.write(document).unwrap();
        let losses = writer.finish().unwrap();
        (String::from_utf8(bytes).unwrap(), losses)
    }

    /// What a reader makes of the document: a sentence for each of its own.
    fn expected(document: &PreAnnotation) -> Vec<Sentence> {
        document.parts().collect()
    }

    #[test]
    fn documents_of_several_sentences_come_back() {
        let document = document();
        assert_eq!(document.sentences.len(), 3);
        let options = AnnotationOptions { predictions: true, ..AnnotationOptions::default() };
        for format in [AnnotationFormat::LabelStudio, AnnotationFormat::Doccano, AnnotationFormat::Prodigy] {
            let (text, _) = written(&document, format);
            let (sentences, losses) = read_with(format, &text, &options).unwrap();
            assert_eq!(sentences, expected(&document), "{format}: {text}");
            assert_eq!(losses.kinds().len(), 1, "{losses}");
        }
        let folder = tempfile::tempdir().unwrap();
        let schema = Schema { entities: ["P", "L x"].into_iter().collect(), relations: ["R"].into_iter().collect() };
        let mut writer = PreAnnotationWriter::<Vec<u8>>::to_folder(folder.path(), "m", &schema).unwrap();
        writer.write(&document).unwrap();
        writer.finish().unwrap();
        let (sentences, losses) = read_annotations(folder.path(), AnnotationFormat::Brat, &options).unwrap();
        assert_eq!(sentences, expected(&document));
        assert_eq!(losses.count(LossKind::Note), 6);
        let types = std::fs::read_to_string(folder.path().join("annotation.conf")).unwrap();
        assert!(types.starts_with("[entities]\nP\nL_x\n[relations]\nR\tArg1:<ENTITY>, Arg2:<ENTITY>\n"), "{types}");
        let annotation = std::fs::read_to_string(folder.path().join("d-7.ann")).unwrap();
        assert!(annotation.contains("#1\tAnnotatorNotes T1\tconfidence 0.5000\n"), "{annotation}");
    }

    #[test]
    fn formats_of_tokens_keep_the_sentences() {
        let document = document();
        let plain = |sentence: &Sentence| {
            let words: Vec<String> = sentence.words().map(str::to_owned).collect();
            (words, sentence.entities.clone(), sentence.relations.clone())
        };
        let all: Vec<_> = expected(&document).iter().map(plain).collect();
        for format in [AnnotationFormat::Dygie, AnnotationFormat::Gliner, AnnotationFormat::UnifiedAde] {
            let (text, losses) = written(&document, format);
            let (sentences, _) = read_with(format, &text, &AnnotationOptions::default()).unwrap();
            assert_eq!(sentences.iter().map(plain).collect::<Vec<_>>(), all, "{format}: {text}");
            assert_eq!(losses.count(LossKind::Confidence), 1);
        }
        let (text, _) = written(&document, AnnotationFormat::Bioes);
        assert!(text.contains("Ann\tB-P\nLee\tE-P\n") && text.matches("\n\n").count() == 3, "{text}");
    }

    #[test]
    fn confidences_are_kept_where_the_tool_has_them() {
        let document = document();
        let (tasks, _) = written(&document, AnnotationFormat::LabelStudio);
        assert!(
            tasks.contains(r#""predictions":[{"model_version":"m 1","score":0.5416666666666666,"result":["#),
            "{tasks}"
        );
        assert!(tasks.contains(r#""labels":["P"]},"score":0.5}"#) && !tasks.contains("annotations"), "{tasks}");
        assert!(tasks.contains(r#""direction":"right","labels":["R"],"score":0.25}"#), "{tasks}");
        let (tasks, losses) = written(&document, AnnotationFormat::Prodigy);
        assert!(
            !tasks.contains("answer") && tasks.contains(r#""meta":{"id":"d-7","model":"m 1","score":0.54"#),
            "{tasks}"
        );
        assert_eq!(losses.count(LossKind::Confidence), 0);
        let unscored = PreAnnotation {
            sentences: vec![PredictedSentence {
                entity_confidences: vec![],
                relation_confidences: vec![],
                ..document.sentences[0].clone()
            }],
            ..document
        };
        assert!(!written(&unscored, AnnotationFormat::LabelStudio).0.contains("score"));
    }

    #[test]
    fn documents_without_sentences_and_folders_as_streams_are_errors() {
        let mut writer = PreAnnotationWriter::to_writer(Vec::new(), AnnotationFormat::Doccano, "m").unwrap();
        let error = writer.write(&PreAnnotation::default()).unwrap_err().to_string();
        assert_eq!(error, "record 1, tokens: expected at least one token, found none");
        let error = PreAnnotationWriter::to_writer(Vec::new(), AnnotationFormat::Brat, "m").err().unwrap().to_string();
        assert_eq!(error, "output: the brat format cannot express one file: it is a folder");
    }
}
