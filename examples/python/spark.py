"""Entities and relations of a Parquet or JSON Lines file with Spark.

    python examples/python/spark.py texts.parquet found.parquet
    spark-submit examples/python/spark.py texts.parquet found.parquet --master spark://host:7077 --model /models/news

Spark pickles the extractor as its path, so each Python worker loads the model from there: the path must exist on every
worker. A task loads it once. Each task has one core, hence one thread. Sail runs the same code.
"""

import argparse
from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

import cman


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="file with a column of texts: .parquet or .jsonl")
    parser.add_argument("output", help="Parquet folder to write")
    parser.add_argument("--column", default="text", help="the column of texts")
    parser.add_argument("--model", help="model directory or package; default: the demo model")
    parser.add_argument("--master", default="local[2]", help="where Spark runs")
    arguments = parser.parse_args()

    spark = SparkSession.builder.master(arguments.master).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    read = spark.read.parquet if arguments.input.endswith(".parquet") else spark.read.json
    texts = read(arguments.input)
    extractor = cman.Extractor.load(arguments.model, threads=1)

    def extract(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.record_batch(extractor.extract_arrow(batch, column=arguments.column))

    # The columns of the result, from a table without rows.
    empty = to_arrow_schema(texts.schema).empty_table()
    schema = pa.table(extractor.extract_arrow(empty, column=arguments.column)).schema
    texts.mapInArrow(extract, from_arrow_schema(schema)).write.mode("overwrite").parquet(arguments.output)
    spark.stop()


if __name__ == "__main__":
    main()
