"""A component of spaCy: `nlp.add_pipe("cman", config={"model": "models/news"})`.

It sets three things of a document:

- `doc.ents`: entities that do not overlap. Of overlapping ones the longest stays.
- `doc.spans["cman"]`: all entities.
- `doc._.rel`: the confidence of each relation, by the first tokens of its arguments and by its type:
  `doc._.rel[(head.start, tail.start)]["Live_In"]`.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from cman import Document, Extractor

__all__ = ["CmanComponent"]

if not Doc.has_extension("rel"):
    Doc.set_extension("rel", default={})


class CmanComponent:
    """Annotates documents with what an extractor finds."""

    def __init__(self, extractor: Extractor, tokens: bool = False):
        self.extractor, self.tokens = extractor, tokens

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Annotates a stream of documents, so many at a time."""
        stream = iter(stream)
        while docs := list(islice(stream, batch_size)):
            yield from self._by_tokens(docs) if self.tokens else self._by_text(docs)

    def _by_text(self, docs: list[Doc]) -> Iterator[Doc]:
        for doc, found in zip(docs, self.extractor.extract([doc.text for doc in docs])):
            spans = [
                doc.char_span(entity.start, entity.end, label=entity.type, alignment_mode="expand")
                for entity in found.entities
            ]
            _annotate(doc, [(found, spans)])
            yield doc

    def _by_tokens(self, docs: list[Doc]) -> Iterator[Doc]:
        sentences = [_sentences(doc) for doc in docs]
        words = [[token.text for token in sentence] for of_doc in sentences for sentence in of_doc]
        documents = iter(self.extractor.extract_tokens(words))
        for doc, of_doc in zip(docs, sentences):
            found = ((sentence, next(documents)) for sentence in of_doc)
            _annotate(doc, [(document, _spans(sentence, document)) for sentence, document in found])
            yield doc


@Language.factory(
    "cman",
    assigns=["doc.ents", "doc.spans", "doc._.rel"],
    default_config={"model": None, "encoder": None, "threads": None, "options": {}, "tokens": False},
)
def component(
    nlp: Language,
    name: str,
    model: str | None,
    encoder: str | None,
    threads: int | None,
    options: dict[str, Any],
    tokens: bool,
) -> CmanComponent:
    """Makes the component. The arguments are those of `Extractor.load`; without a model it is the demo model.

    With `tokens` the model reads the tokens and the sentences of spaCy. Without, it cuts the text as its training data
    were cut, which is better unless spaCy's tokens are those of the training data; an entity then covers each token of
    spaCy of which it has a character.
    """
    return CmanComponent(Extractor.load(model, encoder=encoder, threads=threads, **options), tokens)


def _sentences(doc: Doc) -> list[Span]:
    """The sentences of a document, or the whole if nothing has set them, without those of spaces alone."""
    sentences = doc.sents if doc.has_annotation("SENT_START") else [doc[:]]
    return [sentence for sentence in sentences if sentence.text.strip()]


def _spans(sentence: Span, document: Document) -> list[Span]:
    """The entities of a sentence that was read by its tokens: their offsets are those in the tokens joined by spaces."""
    first, last, at = {}, {}, 0
    for token in sentence:
        first[at], last[at + len(token.text)] = token.i, token.i + 1
        at += len(token.text) + 1
    return [Span(sentence.doc, first[one.start], last[one.end], label=one.type) for one in document.entities]


def _annotate(doc: Doc, found: list[tuple[Document, list[Any]]]) -> None:
    spans = [span for _, of_document in found for span in of_document]
    doc.spans["cman"] = spans
    doc.ents = filter_spans(spans)
    relations: dict[tuple[int, int], dict[str, float]] = {}
    for document, of_document in found:
        places = {id(entity): span.start for entity, span in zip(document.entities, of_document)}
        for relation in document.relations:
            scores = relations.setdefault((places[id(relation.head)], places[id(relation.tail)]), {})
            scores[relation.type] = max(relation.confidence, scores.get(relation.type, 0.0))
    doc._.rel = relations
