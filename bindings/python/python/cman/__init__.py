"""Joint entity and relation extraction with the Cross-Modal Attention Network.

    >>> import cman
    >>> document = cman.Extractor.load().extract("Maria Keller lives in Oslo.")
    >>> [(entity.type, entity.text) for entity in document.entities]
    [('Peop', 'Maria Keller'), ('Loc', 'Oslo')]
"""

from cman._cman import CmanError, Document, Entity, Extractor, Relation, Sentence, train

__all__ = ["CmanError", "Document", "Entity", "Extractor", "Relation", "Sentence", "train"]
