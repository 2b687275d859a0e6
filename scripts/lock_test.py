#!/usr/bin/env python3
"""Starts processes in pairs on one folder, and kills processes that hold a folder's lock.

usage: scripts/lock_test.py [--cman target/debug/cman] [--pairs 10] [--kills 20] [--seed 1]

- Pairs of `cman train` on one folder, both new, or one with --force and one with --resume: one writes the model, whose bits
  are those of an undisturbed run, and the other is told who writes.
- Pairs of `cman experiment` with one --out: one ends with all results, the other is told who writes.
- Pairs of `cman experiment` with one --runs: both end with the same results, and no run is trained twice.
- Kills of a training with SIGKILL: the next start goes on, and the last one ends with the bits of an undisturbed run.
- Kills of one of two experiments with one --runs: the other ends with all results.

Standard library only. Prints what passed; exits with 1 at the first failure.
"""

import argparse
import hashlib
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

EXPERIMENT = str(pathlib.Path(__file__).resolve().parent.parent / "experiments" / "sample.toml")
SMALL = []
for setting in ("model.hidden=8", "model.character.width=8", "model.relation.hidden=8", "model.word.width=8"):
    SMALL += ["--set", setting]
EPOCHS = 3
WRITES = re.compile(r"error: \S+: process (\d+) on host \S+ has been writing here since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n")


class Test:
    def __init__(self, cman, root):
        self.cman, self.root, self.n = cman, root, 0

    def new(self):
        """A new folder's path."""
        self.n += 1
        return self.root / str(self.n)

    def train(self, out, *more):
        run = ["train", "--sample", "--epochs", str(EPOCHS), "--checkpoint-minutes", "0", "--out", str(out)]
        return self.start([*run, *SMALL, *more])

    def go_on(self, out):
        """The next start after a kill."""
        to_resume = any((out / name).exists() for name in ("checkpoint/state.json", "identity.json"))
        return self.train(out, *(["--resume"] if to_resume else []))

    def experiment(self, out, *more):
        short = ["--seeds", "1", "--set", "train.epochs=2", "--set", "train.batch_size=16"]
        return self.start(["experiment", EXPERIMENT, "--out", str(out), *SMALL, *short, *more])

    def start(self, command):
        return subprocess.Popen([self.cman, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check(ok, message):
    if not ok:
        sys.exit(f"FAILED: {message}")


def end(*processes):
    """(status, stdout, stderr) of every process."""
    outputs = [process.communicate() for process in processes]
    return [(process.returncode, *output) for process, output in zip(processes, outputs)]


def one_is_refused(processes):
    """Checks that one process ended well and the other names it."""
    ends = sorted(zip(end(*processes), processes), key=lambda each: each[0][0])
    (done, winner), (refused, _) = ends
    check(done[0] == 0 and done[2] == "" and refused[0] == 1, f"one of two ends well: {ends}")
    holder = WRITES.match(refused[2])
    check(holder and int(holder[1]) == winner.pid, f"process {winner.pid} is named: {refused[2]}")


def weights(out):
    return hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()


def check_model(out, expected, may_stay=()):
    check(weights(out) == expected, f"{out}: the weights are those of an undisturbed run")
    check(len((out / "log.csv").read_text().splitlines()) == EPOCHS + 1, f"{out}: the log has a row per epoch")
    left = [name for name in (".lock", "checkpoint") if (out / name).exists() and name not in may_stay]
    check(not left, f"{out}: {left} stay behind")


def results(out):
    """The runs of an experiment, without times."""
    runs = json.loads((out / "results.json").read_text())["runs"]
    check(all(run["outcome"] for run in runs), f"{out}: every run has an outcome")
    for run in runs:
        del run["outcome"]["seconds"]
    return runs


def is_held_by(folder, process):
    """Waits until the process has locked the folder; false if it ends before."""
    while process.poll() is None:
        try:
            if json.loads((folder / ".lock").read_text())["process"] == process.pid:
                return True
        except (OSError, ValueError):
            pass
        time.sleep(0.002)
    return False


def kill(process):
    process.kill()
    process.communicate()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cman", default="target/debug/cman")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    root = pathlib.Path(tempfile.mkdtemp(prefix="lock_test_"))
    test = Test(args.cman, root)

    whole = test.new()
    start = time.monotonic()
    check(end(test.train(whole))[0][0] == 0, "an undisturbed training")
    seconds, expected = time.monotonic() - start, weights(whole)
    whole = test.new()
    check(end(test.experiment(whole))[0][0] == 0, "an undisturbed experiment")
    expected_runs = results(whole)
    print(f"undisturbed: training {seconds:.1f} s, experiment of {len(expected_runs)} runs", flush=True)

    for _ in range(args.pairs):
        out = test.new()
        one_is_refused([test.train(out), test.train(out)])
        check_model(out, expected)
    print(f"{args.pairs} pairs train/train: one model, one refusal each", flush=True)

    for _ in range(args.pairs):
        out = test.new()
        first = test.train(out)
        while not (out / "checkpoint" / "state.json").exists():
            time.sleep(0.002)
        kill(first)
        one_is_refused([test.train(out, "--resume"), test.train(out, "--force")])
        check_model(out, expected)
    print(f"{args.pairs} pairs train --resume/train --force: one model, one refusal each", flush=True)

    for _ in range(args.pairs):
        out = test.new()
        one_is_refused([test.experiment(out), test.experiment(out)])
        check(results(out) == expected_runs, f"{out}: the results are those of an undisturbed experiment")
    print(f"{args.pairs} pairs experiment/experiment with one --out: all results, one refusal each", flush=True)

    for _ in range(args.pairs):
        a, b, runs = test.new(), test.new(), test.new()
        ends = end(*(test.experiment(out, "--runs", str(runs)) for out in (a, b)))
        check(all(status == 0 and error == "" for status, _, error in ends), f"both end well: {ends}")
        cached = [output.count("(finished before)") for _, output, _ in ends]
        check(sum(cached) == len(expected_runs), f"every run is trained once: {ends}")
        check(results(a) == expected_runs == results(b), f"{a}, {b}: the results are those of an undisturbed experiment")
    print(f"{args.pairs} pairs experiment/experiment with one --runs: all results twice, no run trained twice", flush=True)

    killed, finished, out = 0, 0, test.new()
    while killed < args.kills:
        process = test.go_on(out)
        if is_held_by(out, process):
            time.sleep(random.uniform(0, 0.4) * seconds)
        if process.poll() is None:
            kill(process)
            killed += 1
        else:
            status = end(process)[0]
            check(status[0] == 0, f"kill {killed}: the next start goes on: {status}")
            check_model(out, expected, may_stay=["checkpoint"])  # of a kill between the model and its removal
            finished, out = finished + 1, test.new()
    status = end(test.go_on(out))[0]
    check(status[0] == 0, f"the start after the last kill goes on: {status}")
    check_model(out, expected, may_stay=["checkpoint"])
    print(f"{killed} kills of a training: every next start went on, {finished + 1} trainings ended", flush=True)

    pairs = max(1, args.kills // 4)
    for _ in range(pairs):
        a, b, runs = test.new(), test.new(), test.new()
        first, second = (test.experiment(out, "--runs", str(runs)) for out in (a, b))
        while not list(runs.glob("*/checkpoint/state.json")):
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.5) * seconds)
        kill(first)
        status = end(second)[0]
        check(status[0] == 0, f"the other experiment goes on: {status}")
        check(results(b) == expected_runs, f"{b}: the results are those of an undisturbed experiment")
    print(f"{pairs} kills of one of two experiments: the other ended with all results", flush=True)
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
