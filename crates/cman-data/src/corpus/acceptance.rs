//! Checks each sentence of a corpus, and counts its anomalies.

use super::{OverlapPolicy, Report, record::Record, report::Ids};
use crate::{
    error::{DataError, Location},
    labels::Schema,
    sentence::Sentence,
    validate::{Part, first_overlap, two_types, validate},
};

/// The types and the report of the sentences so far.
pub(crate) struct Acceptance {
    pub(crate) schema: Schema,
    pub(crate) report: Report,
    ids: Ids,
    overlap: OverlapPolicy,
    /// Whether new types are added to the schema.
    collect_types: bool,
}

impl Acceptance {
    /// Allows the types of a schema, or collects the types that occur.
    pub(crate) fn new(schema: Option<Schema>, overlap: OverlapPolicy) -> Self {
        let collect_types = schema.is_none();
        let schema = schema.unwrap_or_default();
        Self { schema, report: Report::default(), ids: Ids::default(), overlap, collect_types }
    }

    /// Merges duplicates and validates a record, whose location is `file` but for the line; `None` if the overlap policy
    /// drops it.
    pub(crate) fn accept(&mut self, mut record: Record, file: &Location) -> Result<Option<Sentence>, DataError> {
        let merged = record.merge_duplicates();
        let at = |part| Location { line: record.line(part), ..file.clone() };
        let schema = if self.collect_types { None } else { Some(&self.schema) };
        validate(&record.sentence, schema).map_err(|fault| {
            let at = at(fault.part);
            fault.at(at)
        })?;
        if let Some((first, second)) = first_overlap(&record.sentence) {
            self.report.overlapping_sentences += 1;
            match self.overlap {
                OverlapPolicy::Keep => {
                    if let Some(fault) = two_types(&record.sentence) {
                        let at = at(fault.part);
                        return Err(fault.at(at));
                    }
                }
                OverlapPolicy::Drop => {
                    self.report.dropped_overlapping += 1;
                    return Ok(None);
                }
                OverlapPolicy::Refuse => {
                    let field = format!("entities[{second}]");
                    let found = format!("an overlap with entities[{first}]");
                    let expected = "an entity that overlaps no other";
                    return Err(DataError::invalid(at(Part::Entity(second)), field, expected, found));
                }
            }
        }
        self.report.sentences += 1;
        self.report.orphan_inside_tags += record.orphans;
        self.report.merged_entities += merged.entities;
        self.report.merged_relations += merged.relations;
        self.report.unannotated += usize::from(!record.annotated);
        self.report.repeated_ids += usize::from(!self.ids.insert(&record.sentence));
        if self.collect_types {
            for entity in &record.sentence.entities {
                self.schema.entities.insert(entity.kind.as_str());
            }
            for relation in &record.sentence.relations {
                self.schema.relations.insert(relation.kind.as_str());
            }
        }
        Ok(Some(record.sentence))
    }
}
