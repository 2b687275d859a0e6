"""Entities and relations of a column of texts, with Ray Data.

    python ray_data.py IN.parquet OUT [--model MODEL] [--actors 2]

Each actor loads the model once and keeps it. An actor takes one processor and one thread of the model; the number of actors is how
many texts are read side by side.
"""

import argparse

import pyarrow as pa
import ray

import cman


class Extract:
    def __init__(self, model=None, column="text"):
        self.extractor, self.column = cman.Extractor.load(model), column

    def __call__(self, table: pa.Table) -> pa.Table:
        return pa.table(self.extractor.extract_arrow(table, column=self.column))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--model")
    parser.add_argument("--actors", type=int, default=2)
    arguments = parser.parse_args()
    ray.init(runtime_env={"env_vars": {"RAYON_NUM_THREADS": "1"}}, include_dashboard=False)
    found = ray.data.read_parquet(arguments.input).map_batches(
        Extract,
        fn_constructor_args=[arguments.model],
        compute=ray.data.ActorPoolStrategy(size=arguments.actors),
        batch_size=1000,
        batch_format="pyarrow",
        num_cpus=1,
    )
    found.write_parquet(arguments.output)


if __name__ == "__main__":
    main()
