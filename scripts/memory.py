#!/usr/bin/env python3
"""Compares the estimated memory of batches with the measured peak of `cman train` and `cman evaluate`.

usage: scripts/memory.py [--cman target/debug/cman] [--train 16x25 1x400 1x1600] [--evaluate 8x500 1x20000] [--set KEY=VALUE]

Standard library only, on Linux. `16x25` is a batch of 16 sentences of 25 tokens. The estimate is the one that the error
under `--max-memory` names. The measurement is the peak memory of a run with the batch, less that of `cman inspect` on the
same file (train) or of a run with a single token (evaluate). Exits with 1 if an estimate is below the measurement or above
three times of it.
"""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

MOST = 3.0
FREE = ["--max-memory", "none"]


def corpus(path, count, tokens):
    """Sentences with an entity every ten tokens, and a relation between the first two."""
    generator = random.Random(1)
    words = ["".join(generator.choices("aeiknorst", k=generator.randint(2, 10))) for _ in range(1000)]
    sentences = []
    for _ in range(count):
        entities = [{"type": "AB"[start // 10 % 2], "start": start, "end": start + 1} for start in range(0, tokens, 10)]
        relations = [{"type": "R", "head": 0, "tail": 1}] if len(entities) > 1 else []
        text = [generator.choice(words) for _ in range(tokens)]
        sentences.append({"tokens": text, "entities": entities, "relations": relations})
    path.write_text(json.dumps(sentences))
    return str(path)


def peak(command):
    """Peak memory of a command, without a limit, in MB."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"status {status}: {' '.join(command)}")
    return usage.ru_maxrss * 1024 / 1e6


def estimate(command):
    """The estimate, in MB, in the error of a command under a limit that nothing fits."""
    run = subprocess.run([*command, "--max-memory", "1B"], capture_output=True, text=True)
    found = re.search(r"needs about ([\d.]+) (MB|GB) of memory", run.stderr)
    if not found:
        sys.exit(f"no estimate: {run.stderr}")
    return float(found[1]) * {"MB": 1, "GB": 1000}[found[2]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cman", default="target/debug/cman")
    parser.add_argument("--train", nargs="*", default=["16x25", "16x100", "1x400", "1x1600", "4x800"])
    parser.add_argument("--evaluate", nargs="*", default=["8x1000", "1x5000", "1x20000"])
    parser.add_argument("--set", nargs="*", default=[])
    args = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="memory_") as name:
        folder = pathlib.Path(name)

        def train(file, out):
            settings = [part for setting in args.set for part in ("--set", setting)]
            out = ["--force", "--out", f"{name}/{out}"]
            return [args.cman, "train", "--train", file, "--epochs", "2", "--threads", "2", *out, *settings]

        small = corpus(folder / "small.json", 8, 20)
        peak(train(small, "model") + FREE)

        def evaluate(file):
            return [args.cman, "evaluate", "--threads", "2", "--model", f"{name}/model", "--data", file]

        least = peak(evaluate(corpus(folder / "least.json", 1, 1)) + FREE)
        for kind, batches in [("train", args.train), ("evaluate", args.evaluate)]:
            for batch in batches:
                count, tokens = map(int, batch.split("x"))
                file = corpus(folder / "corpus.json", count, tokens)
                command = train(file, "out") if kind == "train" else evaluate(file)
                base = peak([args.cman, "inspect", file]) if kind == "train" else least
                expected, found = estimate(command), peak(command + FREE) - base
                ratio = expected / found
                wrong += not 1.0 <= ratio <= MOST
                print(f"{kind:8} {batch:>8}: estimated {expected:7.1f} MB, measured {found:7.1f} MB, {ratio:.2f}", flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
