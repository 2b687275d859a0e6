#!/usr/bin/env python3
"""Kills training runs with SIGKILL at random moments and resumes them: the weights must equal an unbroken run's.

usage: scripts/crash_test.py [--cman target/debug/cman] [--kills 50] [--seed 1]

Standard library only. Prints where each run was killed (epoch and batch of its last checkpoint) and whether the resumed
run ended with the same bits; exits with 1 if one did not.
"""

import argparse
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

SETTINGS = ["--sample", "--epochs", "3", "--checkpoint-minutes", "0"]
for setting in ("model.hidden=8", "model.character.width=8", "model.relation.hidden=8", "model.word.width=8"):
    SETTINGS += ["--set", setting]


def digest(folder):
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cman", default="target/debug/cman")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    root = pathlib.Path(tempfile.mkdtemp(prefix="crash_test_"))

    def command(out, *more):
        return [args.cman, "train", *SETTINGS, "--out", str(out), *more]

    whole = root / "whole"
    start = time.monotonic()
    subprocess.run(command(whole), check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    expected = digest(whole)
    print(f"unbroken run: {seconds:.1f} s, weights {expected[:16]}", flush=True)

    different = killed = 0
    while killed < args.kills:
        out = root / f"run-{killed}"
        run = subprocess.Popen(command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.05, 0.95) * seconds)
        run.kill()
        run.wait()
        state = out / "checkpoint" / "state.json"
        if not state.is_file():  # before the first checkpoint, or after the end: not inside the training loop
            subprocess.run(["rm", "-rf", str(out)], check=True)
            continue
        killed += 1
        at = json.loads(state.read_text())["progress"]
        subprocess.run(command(out, "--resume"), check=True, stdout=subprocess.DEVNULL)
        same = digest(out) == expected
        different += not same
        where = f"epoch {at['epoch'] + 1}, after batch {at['batch']}"
        print(f"kill {killed:2}: {where:26} {'same bits' if same else 'DIFFERENT BITS'}", flush=True)
        subprocess.run(["rm", "-rf", str(out)], check=True)
    print(f"{killed} kills, {different} different")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
