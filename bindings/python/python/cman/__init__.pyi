from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any, Literal, final, overload

__all__ = ["CmanError", "Document", "Entity", "Extractor", "Relation", "Sentence", "train"]

class CmanError(ValueError):
    """A model, a setting or a text that cannot be used."""

@final
class Sentence:
    """A sentence of a text. Offsets count code points."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def tokens(self) -> int:
        """Number of its tokens."""
    @property
    def windows(self) -> int:
        """Number of windows in which it was read: 1 unless it is too long to be read as a whole."""

@final
class Entity:
    """An entity. Offsets count code points: `document.text[entity.start : entity.end] == entity.text`."""

    @property
    def type(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def sentence(self) -> int:
        """The index of its sentence."""
    @property
    def confidence(self) -> float: ...

@final
class Relation:
    """A relation between two entities, which are objects of `document.entities`."""

    @property
    def type(self) -> str: ...
    @property
    def head(self) -> Entity: ...
    @property
    def tail(self) -> Entity: ...
    @property
    def confidence(self) -> float: ...

@final
class Document:
    """What is found in a text. It can be pickled, compared and hashed."""

    @property
    def text(self) -> str: ...
    @property
    def sentences(self) -> tuple[Sentence, ...]: ...
    @property
    def entities(self) -> tuple[Entity, ...]: ...
    @property
    def relations(self) -> tuple[Relation, ...]: ...
    def to_dict(self) -> dict[str, Any]:
        """The document as the command line and the service write it.

        Offsets are there in characters, bytes and UTF-16 units; `head` and `tail` of a relation are indices of entities.
        """

@final
class Extractor:
    """A trained model that reads text.

    Threads can share it. It is pickled as its path and options: a copy in another process loads the model again.
    """

    @staticmethod
    def load(
        path: str | PathLike[str] | None = None,
        *,
        encoder: str | PathLike[str] | None = None,
        threads: int | None = None,
        device: str = "flex",
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

        `encoder` is the folder of the encoder, if it is not where the model says. `threads` is the number of threads that
        compute: by default extractors share as many as there are cores. `device` is "flex", the CPU, or another that the
        wheel was built with.

        Raises FileNotFoundError if nothing is at the path, CmanError for a damaged model or an option out of range.
        """

    def with_options(
        self,
        *,
        entity_threshold: float = ...,
        relation_threshold: float | None = ...,
        signatures: Literal["any", "trained"] | dict[str, list[dict[str, str]]] = ...,
        relations: bool = ...,
        n_best: int = ...,
        max_tokens: int = ...,
        max_characters: int = ...,
        long_sentences: Literal["windows", "refuse"] = ...,
    ) -> Extractor:
        """An extractor with the same model and some options changed."""

    @overload
    def extract(self, text: str) -> Document: ...  # type: ignore[overload-overlap]
    @overload
    def extract(self, text: Iterable[str]) -> list[Document]:
        """Extracts from a text, or from each text of an iterable: many at once are faster than one by one.

        Raises CmanError for a text that cannot be read, such as one with a token above `max_characters`; its message begins
        with the number of the text if there are several. Raises TypeError for anything but strings.
        """

    def extract_tokens(self, sentences: Iterable[Iterable[str]]) -> list[Document]:
        """Extracts from sentences that are cut into tokens. Offsets are those in the tokens joined by spaces."""

    def extract_arrow(self, data: Any, column: str = "text", output: str = "found") -> Any:
        """Extracts from a column of texts, or of lists of tokens, and adds a column of structs.

        `data` is a table, a record batch or a stream of record batches with the Arrow PyCapsule interface (pyarrow, polars,
        DuckDB, Daft). So has the result: `pyarrow.table(result)`, `polars.DataFrame(result)`,
        `pyarrow.RecordBatchReader.from_stream(result)`. A table gives a table, a record batch a record batch. The batches
        of a stream are read while the result is read, one at a time.

        A row that cannot be read has its reason in the field `error`. A null gives a null. Raises CmanError if the column
        `column` is missing or of another type, or if the column `output` exists.
        """

    @property
    def entity_types(self) -> list[str]: ...
    @property
    def relation_types(self) -> list[str]: ...
    @property
    def options(self) -> dict[str, Any]:
        """The options, by their names."""
    @property
    def path(self) -> Path | None:
        """The path of the model; None for the demo model."""
    @property
    def device(self) -> str: ...

def train(
    corpus: str | PathLike[str] | None,
    out: str | PathLike[str],
    *,
    sample: bool = False,
    vectors: str | PathLike[str] | None = None,
    config: str | PathLike[str] | None = None,
    settings: dict[str, Any] | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    train_dev: bool = False,
    resume: bool = False,
    force: bool = False,
    threads: int | None = None,
    device: str = "flex",
    on_epoch: Callable[[dict[str, Any]], Any] | None = None,
) -> dict[str, Any]:
    """Trains a model, as `cman train` does, and writes a model directory. Returns the content of its scores.json.

    `corpus` is a folder with training, dev and test data; with `sample=True` it is None, and the bundled sample corpus is
    read. `config` is a TOML file, `settings` a dictionary such as `{"train.batch_size": 8}`. `on_epoch` is called after each
    epoch with a dictionary of its losses and scores. Ctrl-C leaves a checkpoint, which `resume=True` continues.
    """
