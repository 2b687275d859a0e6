"""Each example of an engine writes what `extract_arrow` gives."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cman

ROOT = Path(__file__).parents[3]
ENGINES = {"spark": "pyspark", "ray_data": "ray", "daft_udf": "daft"}


def is_close(a, b):
    """Whether two values are equal, but for what the sentences of a batch change in a confidence."""
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) < 1e-5
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_close, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_close(a[key], b[key]) for key in a)
    return a == b


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A file of texts, of which CMAN_DOCUMENTS is the number, and the expected rows."""
    folder = tmp_path_factory.mktemp("texts")
    count = os.environ.get("CMAN_DOCUMENTS", "500")
    subprocess.run([sys.executable, ROOT / "scripts/documents.py", count, folder / "documents.jsonl"], check=True)
    rows = [json.loads(line) for line in (folder / "documents.jsonl").read_text().splitlines()]
    rows = [{"id": row["id"], "text": row["text"]} for row in rows]
    rows[3]["text"], rows[4]["text"] = None, "w" * 300
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, folder / "texts.parquet", row_group_size=len(rows) // 4)
    (folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    extractor = cman.Extractor.load()
    start = time.perf_counter()
    found = pa.table(extractor.extract_arrow(table))
    print(f"\nextract_arrow: {len(rows) / (time.perf_counter() - start):.0f} texts/s")
    return folder, found.to_pylist()


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("example", ENGINES)
def test_the_rows_are_those_of_extract_arrow(example, kind, texts, tmp_path):
    if importlib.util.find_spec(ENGINES[example]) is None:
        pytest.skip(f"{ENGINES[example]} is not installed")
    if example == "spark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    folder, expected = texts
    command = [sys.executable, ROOT / f"examples/python/{example}.py", folder / f"texts.{kind}", tmp_path / "found"]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    print(f"\n{example}, {kind}: {len(expected) / (time.perf_counter() - start):.0f} texts/s, with its start")
    files = sorted((tmp_path / "found").rglob("*.parquet"))
    rows = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
    rows.sort(key=lambda row: row["id"])
    assert len(rows) == len(expected)
    for row, right in zip(rows, expected):
        assert is_close(row, right), (row, right)
