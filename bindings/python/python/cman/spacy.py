"""A component of spaCy: `nlp.add_pipe("cman", config={"model": "models/news"})`.

It sets `doc.ents`, `doc.spans["cman"]` with all entities, and `doc._.rel`: for each pair of entities, by the tokens at which they
start, the confidence of each relation between them: `doc._.rel[(head.start, tail.start)]["Live_In"]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from cman import Document, Extractor

Doc.set_extension("rel", default={}, force=True)


@Language.factory("cman", default_config={"model": None, "encoder": None, "options": {}, "tokens": False})
def component(nlp: Language, name: str, model: str | None, encoder: str | None, options: dict[str, Any], tokens: bool):
    """`options` are those of `Extractor.load`. With `tokens` the model reads spaCy's tokens and sentences, else the text."""
    return CmanComponent(Extractor.load(model, encoder=encoder, **options), tokens)


class CmanComponent:
    def __init__(self, extractor: Extractor, tokens: bool = False):
        self.extractor, self.tokens = extractor, tokens

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        stream = iter(stream)
        while docs := list(islice(stream, batch_size)):
            yield from self._by_tokens(docs) if self.tokens else self._by_text(docs)

    def _by_text(self, docs: list[Doc]) -> Iterator[Doc]:
        for doc, found in zip(docs, self.extractor.extract([doc.text for doc in docs])):
            spans = [
                doc.char_span(entity.start, entity.end, label=entity.type, alignment_mode="expand")
                for entity in found.entities
            ]
            annotate(doc, [(found, spans)])
            yield doc

    def _by_tokens(self, docs: list[Doc]) -> Iterator[Doc]:
        sentences = [sentence for doc in docs for sentence in parts(doc)]
        documents = iter(self.extractor.extract_tokens([[token.text for token in one] for one in sentences]))
        for doc in docs:
            found = []
            for sentence, document in [(one, next(documents)) for one in parts(doc)]:
                starts, at = {}, 0
                for token in sentence:
                    starts[at] = token.i
                    at += len(token.text) + 1
                ends = {start + len(doc[i].text): i + 1 for start, i in starts.items()}
                spans = [Span(doc, starts[one.start], ends[one.end], label=one.type) for one in document.entities]
                found.append((document, spans))
            annotate(doc, found)
            yield doc


def parts(doc: Doc) -> list[Span]:
    """The sentences of a document, or the whole if nothing has set them."""
    if doc.has_annotation("SENT_START"):
        return list(doc.sents)
    return [doc[:]] if len(doc) else []


def annotate(doc: Doc, found: list[tuple[Document, list[Span]]]) -> None:
    """Writes entities and relations into a document."""
    spans = [span for _, spans in found for span in spans]
    doc.spans["cman"] = spans
    doc.ents = filter_spans(spans)
    relations: dict[tuple[int, int], dict[str, float]] = {}
    for document, of_document in found:
        places = {id(entity): span for entity, span in zip(document.entities, of_document)}
        for relation in document.relations:
            head, tail = places[id(relation.head)], places[id(relation.tail)]
            relations.setdefault((head.start, tail.start), {})[relation.type] = relation.confidence
    doc._.rel = relations
