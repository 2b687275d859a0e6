"""What Python adds to the time of a sentence: `extract` on lists of sentences beside the same loop in Rust, in turns.

    python benches/overhead.py
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import pyarrow as pa

import cman

SAMPLE = Path(__file__).parents[3] / "crates/cman-data/sample/train.json"


def lists(extractor: cman.Extractor, texts: list[str], batch: int) -> float:
    start = time.perf_counter()
    for at in range(0, len(texts), batch):
        for document in extractor.extract(texts[at : at + batch]):
            for relation in document.relations:
                relation.head.text, relation.tail.text  # noqa: B018
    return time.perf_counter() - start


def tables(extractor: cman.Extractor, texts: list[str], batch: int) -> float:
    table = pa.table({"text": texts})
    start = time.perf_counter()
    for part in table.to_batches(max_chunksize=batch):
        pa.record_batch(extractor.extract_arrow(part))
    return time.perf_counter() - start


def rust(extractor: cman.Extractor, texts: list[str], batch: int) -> float:
    return extractor._seconds(texts, batch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model")
    arguments = parser.parse_args()

    sentences = [" ".join(sentence["tokens"]) for sentence in json.loads(SAMPLE.read_text())]
    texts = [sentences[i % len(sentences)] for i in range(arguments.sentences)]
    extractor = cman.Extractor.load(arguments.model, threads=arguments.threads)
    print(f"{len(texts)} sentences, median of {arguments.rounds} rounds, microseconds per sentence\n")
    print(f"{'batch':>5} {'rust':>8} {'lists':>8} {'ratio':>6} {'arrow':>8} {'ratio':>6}")
    for batch in arguments.batch:
        seconds = {way: [] for way in (rust, lists, tables)}
        for way in seconds:
            way(extractor, texts, batch)
        for _ in range(arguments.rounds):
            for way, all_ in seconds.items():
                all_.append(way(extractor, texts, batch))
        own, of_lists, of_tables = (1e6 * statistics.median(all_) / len(texts) for all_ in seconds.values())
        print(f"{batch:>5} {own:8.1f} {of_lists:8.1f} {of_lists / own:6.3f} {of_tables:8.1f} {of_tables / own:6.3f}")


if __name__ == "__main__":
    main()
