from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Literal, final, overload

class CmanError(ValueError):
    """A model, a setting or a text that cannot be used."""

@final
class Sentence:
    """A sentence of a text. Offsets count code points."""

    start: int
    end: int
    tokens: int
    windows: int
    """1 unless the sentence is too long to be read as a whole."""

@final
class Entity:
    """An entity. Offsets count code points."""

    type: str
    text: str
    start: int
    end: int
    sentence: int
    """The number of its sentence."""
    confidence: float

@final
class Relation:
    """A relation between two entities."""

    type: str
    head: Entity
    tail: Entity
    confidence: float

@final
class Document:
    """What is found in a text."""

    text: str
    sentences: tuple[Sentence, ...]
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]

    def to_dict(self) -> dict[str, Any]:
        """The document as the command line and the service write it, with offsets in characters, bytes and UTF-16 units."""

@final
class Extractor:
    """A trained model that reads text. Threads can share it; it is pickled as its path and options."""

    @staticmethod
    def load(
        path: str | PathLike[str] | None = None,
        *,
        encoder: str | PathLike[str] | None = None,
        entity_threshold: float = 0.0,
        relation_threshold: float | None = None,
        signatures: Literal["any", "trained"] | dict[str, list[dict[str, str]]] = "any",
        relations: bool = True,
        n_best: int = 0,
        max_tokens: int = 512,
        max_characters: int = 256,
        long_sentences: Literal["windows", "refuse"] = "windows",
    ) -> Extractor:
        """Loads a model directory or a package; without a path, the demo model.

        Raises FileNotFoundError if nothing is at the path, CmanError for a damaged model or an option out of range.
        """

    def with_options(self, **options: Any) -> Extractor:
        """An extractor with the same model and some options changed, by the names that `load` has."""

    @overload
    def extract(self, text: str) -> Document: ...
    @overload
    def extract(self, text: Iterable[str]) -> list[Document]:
        """Extracts from a text, or from each text of an iterable: many at once are faster than one by one.

        Raises CmanError for a text that cannot be read, such as one with a token above `max_characters`.
        """

    def extract_tokens(self, sentences: Sequence[Sequence[str]]) -> list[Document]:
        """Extracts from sentences that are cut into tokens. Offsets are those in the tokens joined by spaces."""

    def extract_arrow(self, data: Any, column: str = "text", output: str = "found") -> Any:
        """Extracts from a column of texts, or of lists of tokens, and adds a column of structs.

        `data` is a table, a record batch or a stream with the Arrow PyCapsule interface (pyarrow, polars, DuckDB, Daft). So
        has the result: `pyarrow.table(result)`, `polars.DataFrame(result)`. A stream is read while the result is read. A
        row that cannot be read has its reason in the field `error`.
        """

    @property
    def entity_types(self) -> list[str]: ...
    @property
    def relation_types(self) -> list[str]: ...
    @property
    def path(self) -> str | None:
        """The path of the model; None for the demo model."""
