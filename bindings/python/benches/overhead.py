"""What Python adds: the time of `extract` in batches of 32 over that of `cman extract` for the same texts, one thread each.

    RAYON_NUM_THREADS=1 python overhead.py --program target/release/cman [--texts 20000]

Both sides read in turns, and loading is left out on both: the program is timed on the texts and on a few of them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cman

ROOT = Path(__file__).resolve().parents[3]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--texts", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run([sys.executable, ROOT / "scripts/documents.py", str(arguments.texts), folder / "all.jsonl"], check=True)
        lines = (folder / "all.jsonl").read_text().splitlines()
        (folder / "few.jsonl").write_text("\n".join(lines[:32]) + "\n")
        texts = [json.loads(line)["text"] for line in lines]
        extractor = cman.Extractor.load()

        def python():
            start = time.perf_counter()
            for i in range(0, len(texts), 32):
                extractor.extract(texts[i : i + 32])
            return time.perf_counter() - start

        def program(name):
            start = time.perf_counter()
            with tempfile.TemporaryDirectory() as out:
                command = [arguments.program, "--threads", "1", "extract", folder / name, "--output", f"{out}/found"]
                subprocess.run(command, check=True, capture_output=True)
            return time.perf_counter() - start

        ours, theirs = [], []
        for _ in range(arguments.rounds):
            ours.append(python())
            theirs.append(program("all.jsonl") - program("few.jsonl"))
    ours, theirs = statistics.median(ours), statistics.median(theirs)
    print(f"python {len(texts) / ours:.0f} texts/s, program {len(texts) / theirs:.0f} texts/s, ratio {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
