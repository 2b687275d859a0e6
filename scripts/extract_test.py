#!/usr/bin/env python3
"""Runs `cman extract` undisturbed and with kills at random moments, and compares the parts.

usage: scripts/extract_test.py DOCUMENTS.jsonl [--cman target/debug/cman] [--kills 10] [--part-records 2000] [--seed 1] [ARGUMENT..]

Prints records per second and the peak memory of the undisturbed run. Further arguments go to `cman extract`. Standard library
only; exits with 1 if a part differs.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def parts(folder):
    """The checksums of all parts, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("part-*"))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("documents", type=Path)
    parser.add_argument("--cman", default="target/debug/cman")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--part-records", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments, more = parser.parse_known_args()
    base = [arguments.cman, "extract", arguments.documents, "--part-records", str(arguments.part_records), *more]
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        start = time.perf_counter()
        process = subprocess.Popen([*base, "--output", whole], stderr=subprocess.PIPE, text=True)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        print(said.strip())
        if status != 0:
            sys.exit(f"status {status}")
        print(f"undisturbed: {seconds:.1f} s, peak memory {usage.ru_maxrss / 1024:.0f} MiB", flush=True)
        draw = random.Random(arguments.seed)
        resume, kills = [], 0
        while kills < arguments.kills:
            process = subprocess.Popen([*base, "--output", killed, *resume], stderr=subprocess.DEVNULL)
            try:
                process.wait(draw.uniform(0.02, 1.2 * seconds / arguments.kills))
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            kills += 1
            resume = ["--resume"] if (killed / "_manifest.json").exists() else []
        subprocess.run([*base, "--output", killed, *resume], check=True, capture_output=True)
        expected, found = parts(whole), parts(killed)
        if found != expected:
            sys.exit(f"after {kills} kills: {len(found)} parts, expected {len(expected)}, or other bytes")
        print(f"after {kills} kills: {len(found)} parts with the same bytes")


if __name__ == "__main__":
    main()
