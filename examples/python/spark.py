"""Entities and relations of a column of texts, with Spark.

    spark-submit spark.py IN.parquet OUT [--model MODEL]     or: python spark.py ..

Spark sends record batches of Arrow to a Python process on each core, and `mapInArrow` returns what is found as one more column. The
model is loaded once per Python process: the function is pickled with the path of the model, not with the model. The path must
mean the same on every worker (`spark.files` or a shared folder). Spark needs Java 17. Sail runs the same code without Java.
"""

import argparse
from functools import cache

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

import cman


@cache
def extractor(model):
    return cman.Extractor.load(model)


def add_found(data, model=None, column="text"):
    """The data frame with the column `found`."""

    def run(batches):
        for batch in batches:
            yield pa.record_batch(extractor(model).extract_arrow(batch, column=column))

    # The type of the new column is that of the result for no rows.
    empty = pa.table({column: pa.array([], pa.string())})
    found = pa.table(cman.Extractor.load(model).extract_arrow(empty, column=column)).schema.field("found")
    schema = from_arrow_schema(pa.schema([found])).fields[0]
    return data.mapInArrow(run, data.schema.add(schema))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--model")
    parser.add_argument("--master", default="local[2]")
    arguments = parser.parse_args()
    spark = (
        SparkSession.builder.master(arguments.master)
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 1000)
        .config("spark.executorEnv.RAYON_NUM_THREADS", 1)  # Spark has one Python process per core
        .getOrCreate()
    )
    found = add_found(spark.read.parquet(arguments.input), arguments.model)
    found.write.mode("overwrite").parquet(arguments.output)
    spark.stop()


if __name__ == "__main__":
    main()
