//! BIO tags (section 3.1, "Label Representations"): entities to tags and back.

use std::{fmt, ops::Range};

/// One BIO tag; the number is the entity type's id in its [`LabelSet`](crate::LabelSet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tag {
    /// Outside of every entity.
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

    /// Whether `next` may follow this tag (`None`: the start of the sentence): only `I-t` is restricted, to stand
    /// behind `B-t` or `I-t`.
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

/// Writes the spans as one tag a token, and says which spans got in.
///
/// One sequence of tags cannot hold two entities that share a token: longer spans go first (then earlier ones, then
/// lower types), and a span that overlaps one already written is left out. The second value holds, for each span,
/// whether it was written; a caller that drops the others must count them.
///
/// # Panics
/// If a span is empty or leaves the sentence.
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

/// Reads the spans out of a sequence of tags, leniently: `I-t` behind anything but `B-t` or `I-t` starts an entity.
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
    fn ids_count_up_from_outside() {
        for id in 0..Tag::count(4) {
            assert_eq!(Tag::from_id(id).id(), id);
        }
        assert_eq!([Outside, Begin(0), Inside(0), Begin(1)].map(Tag::id), [0, 1, 2, 3]);
    }

    #[test]
    fn inside_needs_its_own_type_before_it() {
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
    fn what_cannot_be_written_is_reported() {
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
        fn decoding_and_encoding_again_only_mends_orphans(ids in prop::collection::vec(0usize..7, 0..20)) {
            let tags: Vec<Tag> = ids.into_iter().map(Tag::from_id).collect();
            let spans = decode(&tags);
            let (again, _) = encode(&spans, tags.len());
            prop_assert_eq!(decode(&again), spans);
        }
    }
}
