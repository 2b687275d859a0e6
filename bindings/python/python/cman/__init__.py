"""Joint entity and relation extraction with the Cross-Modal Attention Network."""

from cman._cman import CmanError, Document, Entity, Extractor, Relation, Sentence

__all__ = ["CmanError", "Document", "Entity", "Extractor", "Relation", "Sentence"]
