#!/usr/bin/env python3
"""Peak memory of `cman predict` on 1,000 and on 100,000 raw sentences: the second may take at most 50 MB more.

usage: scripts/predict_memory.py [--cman target/debug/cman] [--sentences 1000 100000] [--model DIR]

Standard library only, on Linux. Without --model, a small model is trained on the sample corpus for an epoch. The sentences
are put together from those of the sample corpus, so that no two windows are alike. Exits with 1 if the memory grows more,
or if a sentence is missing.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

SETTINGS = ["--sample", "--epochs", "1"]
for setting in ("model.hidden=16", "model.character.width=16", "model.relation.hidden=16", "model.word.width=16"):
    SETTINGS += ["--set", setting]
LIMIT_MB = 50


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cman", default="target/debug/cman")
    parser.add_argument("--sentences", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--model")
    args = parser.parse_args()
    sample = pathlib.Path(__file__).parent.parent / "crates/cman-data/sample/train.json"
    sentences = [" ".join(sentence["tokens"]) for sentence in json.loads(sample.read_text())]
    with tempfile.TemporaryDirectory(prefix="predict_memory_") as folder:
        model = args.model or f"{folder}/model"
        if not args.model:
            command = [args.cman, "train", *SETTINGS, "--out", model]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        peaks = []
        for count in args.sentences:
            generator, source, found = random.Random(1), f"{folder}/input.txt", f"{folder}/found.jsonl"
            with open(source, "w") as lines:
                for number in range(count):
                    lines.write(f"{generator.choice(sentences)[:-2]} on day {number} .\n")
            start = time.monotonic()
            child = subprocess.Popen([args.cman, "predict", "--model", model, source, "--output", found])
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.monotonic() - start
            written = sum(1 for _ in open(found))
            peaks.append(usage.ru_maxrss / 1024)
            print(f"{count:7} lines: {written} sentences, {seconds:.1f} s, peak memory {peaks[-1]:.1f} MB", flush=True)
            if status != 0 or written < count:
                sys.exit(f"status {status}, {written} sentences of {count} lines")
    growth = peaks[-1] - peaks[0]
    print(f"growth: {growth:.1f} MB")
    sys.exit(growth > LIMIT_MB)


if __name__ == "__main__":
    main()
