//! `cman predict --to`: predictions as the tasks of an annotation tool.

use std::{
    collections::VecDeque,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cman_data::{
    AnnotationFormat, Entity, Id, InputRecord, PreAnnotation, PreAnnotationWriter, PredictedSentence, Relation, Schema,
    Sentence, file::Draft,
};
use cman_model::Extraction;
use serde_json::value::RawValue;

use crate::{args::named, convert::ANNOTATION, hint::hinted, losses::note_losses, output};

/// Tasks of an annotation tool.
#[derive(Debug, clap::Args)]
pub struct PreAnnotationArgs {
    /// Write tasks of an annotation tool, with the predictions to correct, in place of JSON lines
    #[arg(long, value_name = "FORMAT", value_parser = named::<AnnotationFormat>(ANNOTATION))]
    to: Option<AnnotationFormat>,
}

impl PreAnnotationArgs {
    /// The tasks to write, if a format is given. `model` names the model, `schema` has its types.
    pub fn open(&self, output: &Path, input: &Path, model: String, schema: &Schema) -> Result<Option<Tasks>> {
        let Some(format) = self.to else { return Ok(None) };
        output::refuse_inputs(output, &[input])?;
        let (writer, draft) = if format.is_folder() {
            if output::is_stdout(output) {
                let error = anyhow::anyhow!("{format} is a folder, which cannot be written to standard output");
                return Err(hinted(error, "`--output DIR` names the folder"));
            }
            (PreAnnotationWriter::to_folder(output, model, schema)?, None)
        } else {
            let (writer, draft) = output::open(output)?;
            (PreAnnotationWriter::to_writer(writer, format, model)?, draft)
        };
        Ok(Some(Tasks { writer, output: output.to_owned(), draft, open: VecDeque::new(), count: 0 }))
    }
}

/// Writes a task for every record when all its sentences are predicted.
pub struct Tasks {
    writer: PreAnnotationWriter<Box<dyn Write>>,
    output: PathBuf,
    draft: Option<Draft>,
    /// The records that are not written yet, in order, with their numbers.
    open: VecDeque<(usize, PreAnnotation)>,
    /// Number of records so far.
    count: usize,
}

impl Tasks {
    /// Starts the task of a record, whose sentences follow. Returns its number.
    pub fn start(&mut self, record: &InputRecord) -> usize {
        self.count += 1;
        let number = record.at.record.or(record.at.line).unwrap_or(self.count);
        let id = record.id.as_deref().map_or_else(|| number.into(), id);
        self.open.push_back((self.count, PreAnnotation { id, text: record.text.clone(), sentences: Vec::new() }));
        self.count
    }

    /// Adds a predicted sentence to the record with this number. Sentences come in order, so that earlier records are
    /// complete.
    pub fn add(
        &mut self,
        record: usize,
        offset: Option<usize>,
        sentence: &Sentence,
        extraction: &Extraction,
    ) -> Result<()> {
        while self.open.front().is_some_and(|(number, _)| *number < record) {
            self.write_first()?;
        }
        if let Some((_, document)) = self.open.front_mut() {
            document.sentences.push(predicted(offset.unwrap_or_default(), sentence, extraction));
        }
        Ok(())
    }

    /// Writes the first open record. A record without a predicted sentence has been reported, or is blank.
    fn write_first(&mut self) -> Result<()> {
        let Some((_, document)) = self.open.pop_front() else { return Ok(()) };
        if document.sentences.is_empty() {
            return Ok(());
        }
        self.writer.write(&document).with_context(|| self.output.display().to_string())
    }

    /// Writes the remaining records, and says what the format cannot express.
    pub fn finish(mut self) -> Result<()> {
        while !self.open.is_empty() {
            self.write_first()?;
        }
        let Self { writer, output, draft, .. } = self;
        let losses = writer.finish().with_context(|| output.display().to_string())?;
        output::publish(&output, draft)?;
        note_losses(&losses);
        Ok(())
    }
}

/// An id of any kind.
pub fn id(raw: &RawValue) -> Id {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| Id::name(raw.get()))
}

fn predicted(offset: usize, sentence: &Sentence, extraction: &Extraction) -> PredictedSentence {
    let entities = extraction.entities.iter().map(|entity| Entity::new(&entity.kind, entity.start..entity.end));
    let relations =
        extraction.relations.iter().map(|relation| Relation::new(&relation.kind, relation.head, relation.tail));
    PredictedSentence {
        sentence: Sentence { entities: entities.collect(), relations: relations.collect(), ..sentence.clone() },
        offset,
        entity_confidences: extraction.entities.iter().map(|entity| entity.confidence).collect(),
        relation_confidences: extraction.relations.iter().map(|relation| relation.confidence).collect(),
    }
}
