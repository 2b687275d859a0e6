//! What a conversion leaves out or changes, counted by kind.

use std::fmt;

use serde::Serialize;

/// A kind of loss: part of an annotation that is left out or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LossKind {
    /// A record that is invalid, with [`OnError::Skip`](crate::OnError::Skip).
    InvalidRecord,
    /// A document without tokens.
    EmptyDocument,
    /// A document without annotation, read as sentences without entities.
    Unannotated,
    /// A document that the annotator rejected or skipped.
    NotAccepted,
    /// A further annotation of the same document, by another annotator.
    FurtherAnnotation,
    /// An entity that cuts a token, widened to whole tokens.
    WidenedEntity,
    /// An entity with white space at an end, trimmed.
    TrimmedEntity,
    /// An entity of several parts, read as one span from the first part to the last.
    DiscontinuousEntity,
    /// An entity without a token.
    EntityWithoutToken,
    /// An entity without a type.
    UntypedEntity,
    /// An entity that covers the tokens of an earlier one with another type.
    SecondType,
    /// An entity listed twice, merged with the first.
    RepeatedEntity,
    /// A document of text that is divided into several sentences.
    DividedDocument,
    /// An entity across a boundary of sentences, which are joined.
    JoinedSentences,
    /// An entity whose offsets fit its text in code points and in UTF-16 units, read in code points.
    AmbiguousOffsets,
    /// An entity that shares a token with a longer one, in a format of tags.
    OverlappingEntity,
    /// A relation between two sentences.
    RelationAcrossSentences,
    /// A relation with an argument that is not an entity, or is left out.
    RelationWithoutEntity,
    /// A relation of an entity with itself.
    RelationWithItself,
    /// A relation listed twice, merged with the first.
    RepeatedRelation,
    /// A relation without a type, read with the type `related`.
    UntypedRelation,
    /// A relation without a direction, read as two relations.
    BothDirections,
    /// A file of doccano without any relation. Some versions of doccano lose relations on export.
    NoRelations,
    /// A relation, in a format without relations.
    Relation,
    /// An event.
    Event,
    /// An attribute, normalisation or layer that is neither entity nor relation.
    Attribute,
    /// A note of an annotator.
    Note,
    /// Coreference: a cluster, a chain or an equivalence.
    Coreference,
    /// A token of white space.
    BlankToken,
    /// The raw text of a sentence, in a format of tokens.
    RawText,
    /// The tokens of a sentence, in a format of text.
    Tokens,
    /// The id of a sentence, in a format without ids.
    Id,
    /// A name with characters that the format does not allow, replaced by `_`.
    Name,
    /// The confidences of a predicted document, in a format without them.
    Confidence,
    /// A document with predictions and without annotation, read without the predictions.
    Prediction,
    /// A document that is read in another place, because names of files decide the order.
    Order,
}

impl LossKind {
    /// The kind in a message, after the number.
    fn text(self) -> &'static str {
        match self {
            Self::InvalidRecord => "invalid records, skipped",
            Self::EmptyDocument => "documents without tokens, left out",
            Self::Unannotated => "documents without annotation, read as sentences without entities",
            Self::NotAccepted => "documents that were not accepted, left out",
            Self::FurtherAnnotation => "further annotations of the same document, by other annotators, left out",
            Self::WidenedEntity => "entities that cut a token, widened to whole tokens",
            Self::TrimmedEntity => "entities with white space at an end, trimmed",
            Self::DiscontinuousEntity => "discontinuous entities, joined to one span",
            Self::EntityWithoutToken => "entities without a token, left out",
            Self::UntypedEntity => "entities without a type, left out",
            Self::SecondType => "entities with the tokens of an entity of another type, left out",
            Self::RepeatedEntity => "entities listed twice, merged",
            Self::DividedDocument => "documents of several sentences, divided",
            Self::JoinedSentences => "entities across a sentence boundary, their sentences joined",
            Self::AmbiguousOffsets => "entities that fit in code points and in UTF-16 units, read in code points",
            Self::OverlappingEntity => "entities that share a token with a longer one, left out",
            Self::RelationAcrossSentences => "relations across sentences, left out",
            Self::RelationWithoutEntity => "relations with an argument that is not a kept entity, left out",
            Self::RelationWithItself => "relations of an entity with itself, left out",
            Self::RepeatedRelation => "relations listed twice, merged",
            Self::UntypedRelation => "relations without a type, read with the type `related`",
            Self::BothDirections => "relations without a direction, read as two relations",
            Self::NoRelations => "files without relations; some versions of doccano lose relations on export",
            Self::Relation => "relations, which the format does not have, left out",
            Self::Event => "events, left out",
            Self::Attribute => "attributes and other layers, left out",
            Self::Note => "notes, left out",
            Self::Coreference => "coreference annotations, left out",
            Self::BlankToken => "tokens of white space, left out",
            Self::RawText => "sentences written without their raw text",
            Self::Tokens => "sentences written without their token boundaries",
            Self::Id => "ids that the format does not store",
            Self::Name => "names with characters that the format does not allow, replaced by `_`",
            Self::Confidence => "documents written without their confidences, which the format does not have",
            Self::Prediction => "documents with predictions but no annotation, read without the predictions",
            Self::Order => "documents whose names come before those of earlier ones, read in another order",
        }
    }
}

impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// The losses of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The kind.
    pub kind: LossKind,
    /// Number of losses.
    pub count: usize,
    /// The first losses with their places, at most [`Losses::MAX_PLACES`].
    pub places: Vec<String>,
}

/// `2 relations across sentences, left out; the first: a.json: record 1, relations[0]`.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.kind)?;
        self.places.first().map_or(Ok(()), |first| write!(f, "; the first: {first}"))
    }
}

/// What a conversion leaves out or changes, by kind. Nothing is lost without a count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Losses(Vec<Loss>);

impl Losses {
    /// Most places that are kept for one kind.
    pub const MAX_PLACES: usize = 100;

    /// Counts a loss. `place` tells where and what it is.
    pub(crate) fn add(&mut self, kind: LossKind, place: impl Into<String>) {
        let index = self.0.iter().position(|loss| loss.kind == kind).unwrap_or_else(|| {
            self.0.push(Loss { kind, count: 0, places: Vec::new() });
            self.0.len() - 1
        });
        let loss = &mut self.0[index];
        loss.count += 1;
        if loss.places.len() < Self::MAX_PLACES {
            loss.places.push(place.into());
        }
    }

    /// The losses but for those of one kind.
    pub(crate) fn without(mut self, kind: LossKind) -> Self {
        self.0.retain(|loss| loss.kind != kind);
        self
    }

    /// The kinds, in the order of their first losses.
    pub fn kinds(&self) -> &[Loss] {
        &self.0
    }

    /// Number of losses of this kind.
    pub fn count(&self, kind: LossKind) -> usize {
        self.0.iter().find(|loss| loss.kind == kind).map_or(0, |loss| loss.count)
    }

    /// Whether nothing is lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One line per kind.
impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, loss) in self.0.iter().enumerate() {
            write!(f, "{}{loss}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_counted_by_kind_with_their_first_place() {
        let mut losses = Losses::default();
        assert!(losses.is_empty());
        losses.add(LossKind::Event, "a.ann: line 2, E1");
        losses.add(LossKind::Note, "a.ann: line 3, #1");
        losses.add(LossKind::Event, "b.ann: line 1, E1");
        assert_eq!((losses.count(LossKind::Event), losses.count(LossKind::Id)), (2, 0));
        assert_eq!(
            losses.to_string(),
            "2 events, left out; the first: a.ann: line 2, E1\n1 notes, left out; the first: a.ann: line 3, #1"
        );
        (0..200).for_each(|_| losses.add(LossKind::Event, "c"));
        assert_eq!((losses.kinds()[0].count, losses.kinds()[0].places.len()), (202, Losses::MAX_PLACES));
    }
}
