"""Entities and relations of a Parquet or JSON Lines file with Daft.

    python examples/python/daft_udf.py texts.parquet found.parquet
    python examples/python/daft_udf.py texts.parquet found.parquet --model /models/news

Each worker loads the model once. On one machine there is one worker, whose model computes on all cores; `max_concurrency`
of `daft.cls` and `threads` of the extractor change both.
"""

import argparse

import daft
import pyarrow as pa
from daft import DataType, Series

import cman

# The type of what is found, from a table without rows.
EMPTY = pa.table({"text": pa.array([], pa.string())})
FOUND = pa.table(cman.Extractor.load().extract_arrow(EMPTY)).schema.field("found").type


@daft.cls(max_concurrency=1)
class Extract:
    """A worker with a model."""

    def __init__(self, model: str | None):
        self.extractor = cman.Extractor.load(model)

    @daft.method.batch(return_dtype=DataType.from_arrow_type(FOUND), batch_size=256)
    def found(self, texts: Series) -> Series:
        batch = pa.record_batch({"text": texts.to_arrow()})
        return Series.from_arrow(pa.record_batch(self.extractor.extract_arrow(batch))["found"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="file with a column of texts: .parquet or .jsonl")
    parser.add_argument("output", help="Parquet folder to write")
    parser.add_argument("--column", default="text", help="the column of texts")
    parser.add_argument("--model", help="model directory or package; default: the demo model")
    arguments = parser.parse_args()

    read = daft.read_parquet if arguments.input.endswith(".parquet") else daft.read_json
    texts = read(arguments.input)
    found = texts.with_column("found", Extract(arguments.model).found(texts[arguments.column]))
    found.write_parquet(arguments.output, write_mode="overwrite")


if __name__ == "__main__":
    main()
