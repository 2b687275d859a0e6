"""Entities and relations of a column of texts, with Daft.

    python daft_udf.py IN.parquet OUT [--model MODEL]

The class loads the model once per worker. Daft hands a column to the method, which returns a column of structs. In one process
all cores work on a batch.
"""

import argparse

import daft
import pyarrow as pa
from daft import DataType, Series, col

import cman


def found_type(extractor):
    empty = pa.table({"text": pa.array([], pa.string())})
    return DataType.from_arrow_type(pa.table(extractor.extract_arrow(empty)).schema.field("found").type)


def udf(model=None):
    kind = found_type(cman.Extractor.load(model))

    @daft.cls
    class Extract:
        def __init__(self):
            self.extractor = cman.Extractor.load(model)

        @daft.method.batch(return_dtype=kind)
        def __call__(self, text: Series) -> Series:
            table = pa.table({"text": text.to_arrow()})
            return Series.from_arrow(pa.table(self.extractor.extract_arrow(table))["found"].combine_chunks(), "found")

    return Extract()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--model")
    arguments = parser.parse_args()
    data = daft.read_parquet(arguments.input)
    data.with_column("found", udf(arguments.model)(col("text"))).write_parquet(arguments.output)


if __name__ == "__main__":
    main()
