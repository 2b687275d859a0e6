"""The examples for Spark, Ray and Daft give the rows of `extract_arrow`."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cman

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    count = os.environ.get("CMAN_DOCUMENTS", "2000")
    subprocess.run([sys.executable, ROOT / "scripts/documents.py", count, folder / "docs.jsonl"], check=True)
    rows = [json.loads(line) for line in (folder / "docs.jsonl").read_text().splitlines()]
    table = pa.table({"id": [row["id"] for row in rows], "text": [row["text"] for row in rows]})
    pq.write_table(table, folder / "texts.parquet", row_group_size=len(rows) // 4)
    start = time.perf_counter()
    found = pa.table(cman.Extractor.load().extract_arrow(table))
    print(f"\nextract_arrow: {len(rows) / (time.perf_counter() - start):.0f} texts/s")
    return folder / "texts.parquet", found.sort_by("id")["found"].to_pylist()


@pytest.mark.parametrize("engine, example", [("pyspark", "spark"), ("ray", "ray_data"), ("daft", "daft_udf")])
def test_an_engine_gives_the_same_rows(engine, example, texts, tmp_path):
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    file, expected = texts
    start = time.perf_counter()
    command = [sys.executable, ROOT / f"examples/python/{example}.py", file, tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYSPARK_PYTHON": sys.executable})
    assert done.returncode == 0, done.stderr[-3000:]
    print(f"\n{engine}: {len(expected) / (time.perf_counter() - start):.0f} texts/s, its start included")
    parts = sorted((tmp_path / "out").rglob("*.parquet"))
    rows = pa.concat_tables([pq.read_table(part).select(["id", "found"]) for part in parts], promote_options="permissive")
    rows = rows.sort_by("id")["found"].to_pylist()
    assert len(rows) == len(expected)
    assert all(facts(row) == facts(other) for row, other in zip(rows, expected))


def facts(row):
    """What does not depend on how texts form batches."""
    entities = [(one["type"], one["text"], one["chars"]["start"]) for one in row["entities"]]
    return entities, [(one["type"], one["head"], one["tail"]) for one in row["relations"]], row["error"]
