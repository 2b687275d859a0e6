"""Entities and relations of a Parquet or JSON Lines file with Ray Data.

    python examples/python/ray_data.py texts.parquet found.parquet
    python examples/python/ray_data.py texts.parquet found.parquet --actors 8 --model /models/news

Each actor loads the model once. An actor has one core, hence one thread; `num_cpus` and `threads` change both. Reading and writing
need cores too: if actors take all of them, Ray waits for ever.
"""

import argparse

import pyarrow as pa
import ray

import cman


class Extract:
    """An actor with a model."""

    def __init__(self, model: str | None, column: str):
        self.extractor, self.column = cman.Extractor.load(model, threads=1), column

    def __call__(self, texts: pa.Table) -> pa.Table:
        return pa.table(self.extractor.extract_arrow(texts, column=self.column))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="file with a column of texts: .parquet or .jsonl")
    parser.add_argument("output", help="Parquet folder to write")
    parser.add_argument("--column", default="text", help="the column of texts")
    parser.add_argument("--model", help="model directory or package; default: the demo model")
    parser.add_argument("--actors", type=int, default=1, help="number of actors; leave a core for reading")
    arguments = parser.parse_args()

    read = ray.data.read_parquet if arguments.input.endswith(".parquet") else ray.data.read_json
    found = read(arguments.input).map_batches(
        Extract,
        fn_constructor_args=[arguments.model, arguments.column],
        batch_format="pyarrow",
        batch_size=256,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=arguments.actors),
    )
    found.write_parquet(arguments.output)


if __name__ == "__main__":
    main()
