//! BIO tags (section 3.1, "Label Representations"): encoding entities as tags and decoding them.

use std::{fmt, ops::Range};

/// One BIO tag. The value is the entity type's id in its [`LabelSet`](crate::LabelSet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tag {
    /// Outside all entities.
    Outside,
    /// First token of an entity.
    Begin(usize),
    /// A later token of an entity.
    Inside(usize),
}

impl Tag {
    /// Number of tags for `n_types` entity types: `O`, and `B-` and `I-` for each.
    pub const fn count(n_types: usize) -> usize {
        2 * n_types + 1
    }

    /// The tag's id: `O` = 0, `B-t` = 2t + 1, `I-t` = 2t + 2.
    pub const fn id(self) -> usize {
        match self {
            Self::Outside => 0,
            Self::Begin(kind) => 2 * kind + 1,
            Self::Inside(kind) => 2 * kind + 2,
        }
    }

    /// The tag with this id.
    pub const fn from_id(id: usize) -> Self {
        match id {
            0 => Self::Outside,
            odd if odd % 2 == 1 => Self::Begin((odd - 1) / 2),
            even => Self::Inside((even - 2) / 2),
        }
    }

    /// The entity type, unless the tag is `O`.
    pub const fn kind(self) -> Option<usize> {
        match self {
            Self::Outside => None,
            Self::Begin(kind) | Self::Inside(kind) => Some(kind),
        }
    }

    /// Whether `next` may follow `previous`, or may start the sentence if `previous` is `None`. `I-t` may only follow
    /// `B-t` or `I-t`; all other transitions are allowed.
    pub fn allows(previous: Option<Self>, next: Self) -> bool {
        match next {
            Self::Outside | Self::Begin(_) => true,
            Self::Inside(kind) => previous.and_then(Self::kind) == Some(kind),
        }
    }
}

/// A span of tokens with the id of its entity type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
    /// Id of the entity type.
    pub kind: usize,
}

impl Span {
    /// The tokens of the span.
    pub fn tokens(&self) -> Range<usize> {
        self.start..self.end
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{} of type {}", self.start, self.end, self.kind)
    }
}

/// Encodes the spans as one tag per token. The second value tells for each span whether it was encoded.
///
/// One tag sequence cannot represent two entities that share a token. Spans are encoded in order of decreasing length,
/// then start, then type; a span that overlaps an encoded one is left out. A caller that drops such spans must count
/// them.
///
/// # Panics
/// If a span is empty or extends past the sentence.
pub fn encode(spans: &[Span], n_tokens: usize) -> (Vec<Tag>, Vec<bool>) {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(spans[i].tokens().len()), spans[i].start, spans[i].kind));
    let mut tags = vec![Tag::Outside; n_tokens];
    let mut written = vec![false; spans.len()];
    for i in order {
        let span = &spans[i];
        assert!(span.start < span.end && span.end <= n_tokens, "span {span} in a sentence of {n_tokens} tokens");
        if tags[span.tokens()].iter().all(|&tag| tag == Tag::Outside) {
            tags[span.tokens()].fill(Tag::Inside(span.kind));
            tags[span.start] = Tag::Begin(span.kind);
            written[i] = true;
        }
    }
    (tags, written)
}

/// Decodes the spans of a tag sequence. Decoding is lenient: `I-t` after a tag other than `B-t` or `I-t` starts an entity.
pub fn decode(tags: &[Tag]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut previous = None;
    for (i, &tag) in tags.iter().enumerate() {
        match tag {
            Tag::Outside => {}
            Tag::Inside(_) if Tag::allows(previous, tag) => {
                spans.last_mut().expect("an open span").end = i + 1;
            }
            Tag::Begin(kind) | Tag::Inside(kind) => spans.push(Span { start: i, end: i + 1, kind }),
        }
        previous = Some(tag);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::Tag::{Begin, Inside, Outside};
    use super::*;
    use proptest::prelude::*;

    fn span(start: usize, end: usize, kind: usize) -> Span {
        Span { start, end, kind }
    }

    #[test]
    fn ids_start_with_outside() {
        assert_eq!(Tag::count(4), 9);
        for id in 0..Tag::count(4) {
            assert_eq!(Tag::from_id(id).id(), id);
        }
        assert_eq!([Outside, Begin(0), Inside(0), Begin(1)].map(Tag::id), [0, 1, 2, 3]);
    }

    #[test]
    fn inside_must_follow_its_own_type() {
        for previous in [None, Some(Outside), Some(Begin(0)), Some(Inside(0)), Some(Begin(1)), Some(Inside(1))] {
            assert!(Tag::allows(previous, Outside) && Tag::allows(previous, Begin(1)));
            let same = matches!(previous, Some(Begin(1) | Inside(1)));
            assert_eq!(Tag::allows(previous, Inside(1)), same, "{previous:?}");
        }
    }

    #[test]
    fn decoding_is_lenient() {
        assert_eq!(decode(&[Inside(0), Inside(0), Outside, Inside(1)]), [span(0, 2, 0), span(3, 4, 1)]);
        assert_eq!(decode(&[Begin(0), Inside(1), Begin(1), Inside(1)]), [span(0, 1, 0), span(1, 2, 1), span(2, 4, 1)]);
    }

    #[test]
    fn overlapping_spans_are_reported() {
        let (tags, written) = encode(&[span(1, 2, 0), span(0, 3, 1), span(2, 4, 0)], 4);
        assert_eq!(tags, [Begin(1), Inside(1), Inside(1), Outside]);
        assert_eq!(written, [false, true, false]);
    }

    proptest! {
        #[test]
        fn spans_survive_the_round_trip(parts in prop::collection::vec((0usize..3, 1usize..4, 0usize..3), 0..8)) {
            let (mut at, mut spans) = (0, Vec::new());
            for (gap, length, kind) in parts {
                spans.push(span(at + gap, at + gap + length, kind));
                at += gap + length;
            }
            let (tags, written) = encode(&spans, at + 1);
            prop_assert!(written.iter().all(|&w| w));
            prop_assert_eq!(decode(&tags), spans);
        }

        #[test]
        fn encoding_decoded_spans_only_changes_orphan_tags(ids in prop::collection::vec(0usize..7, 0..20)) {
            let tags: Vec<Tag> = ids.into_iter().map(Tag::from_id).collect();
            let spans = decode(&tags);
            let (again, _) = encode(&spans, tags.len());
            prop_assert_eq!(decode(&again), spans);
        }
    }
}
