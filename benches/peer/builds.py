"""Compares two builds of ours, in turns on the same batches of a real corpus: the time of the first over the time of the second.

    python benches/peer/builds.py BEFORE AFTER --corpus conll04/multihead

BEFORE and AFTER are folders such as `target/debug` of two checkouts, each with `cman` and `examples/peer`. A ratio above 1 means
that AFTER is faster. Both sides take turns, so that what slows the machine down slows both. Standard library only.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
import types
from pathlib import Path

import corpus
from ours import LSTM, Ours

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan ."


def in_turns(sides, rounds):
    """Medians of the seconds of each side, the first round left out. Who begins alternates."""
    taken = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name in list(sides)[:: 1 if number % 2 else -1]:
            time.sleep(0.005)  # lets the threads of the other side go to sleep
            seconds = sides[name]()
            if number:
                taken[name].append(seconds)
    return [statistics.median(seconds) for seconds in taken.values()]


def row(name, before, after):
    print(f"| {name} | {1e3 * before:.2f} | {1e3 * after:.2f} | {before / after:.3f} |", flush=True)


def started(programs, model, threads):
    start = time.perf_counter()
    command = [programs / "cman", "--threads", str(threads), "predict", "--model", model]
    subprocess.run(command, input=SENTENCE, text=True, check=True, capture_output=True)
    return time.perf_counter() - start


def compare(arguments, folder):
    train, test = (corpus.read(arguments.corpus / f"{name}.txt") for name in ("train", "test"))
    encoder = corpus.Encoder(train)
    sentences = [encoder.encode(sentence) for sentence in train]
    test = sorted((encoder.encode(sentence, False) for sentence in test), key=corpus.length)
    batches = corpus.bucketed(sentences, 16, 8, seed=1)
    some = batches[:: max(1, len(batches) // arguments.batches)][: arguments.batches]
    config, threads = (ROOT / "configs/conll04.toml").read_text(), arguments.threads

    def both(batches, width):
        sides = {}
        for name in ("before", "after"):
            own = folder / name
            own.mkdir(exist_ok=True)
            settings = types.SimpleNamespace(clock="wall", programs=getattr(arguments, name))
            bench = types.SimpleNamespace(arguments=settings, folder=own, config=config, encoder=encoder, test=test)
            sides[name] = Ours(bench, batches, width, threads)
        return sides

    def seconds(sides, rounds, *words):
        return in_turns({name: lambda side=side: side.seconds(*words) for name, side in sides.items()}, rounds)

    print("| ms | before | after | before / after |\n|---|---|---|---|")
    for width in (0, 1024):
        sides = both(some, width)
        for kind in ("clean", "adversarial"):
            medians = [seconds(sides, arguments.rounds, "step", i, kind) for i in range(len(some))]
            row(f"training step, {width} contextual, {kind}", *(sum(one) / len(some) for one in zip(*medians)))
        for side in sides.values():
            side.close()
    sides = both(batches, 0)
    for side in sides.values():  # an untrained network finds no entities
        for i in range(3 * len(batches)):
            side("step", i % len(batches), "clean")
    row("extraction, batch 32, all test sentences", *seconds(sides, 2 * arguments.rounds, "extract", 0, len(test), 32))
    medians = [seconds(sides, arguments.rounds, "extract", i, i + 1, 32) for i in range(0, len(test), 4)]
    row("extraction, one sentence", *(statistics.median(one) for one in zip(*medians)))
    for shape in LSTM:
        for kind in ("infer", "train"):
            row(f"BiLSTM {shape}, {kind}", *seconds(sides, 8 * arguments.rounds, "bilstm", "ours", *shape, kind))
    for side in sides.values():
        side.close()
    models = {name: folder / f"{name}-model" for name in ("before", "after")}
    for name, model in models.items():
        train = ["train", "--corpus", arguments.corpus, "--epochs", "1", "--out", model]
        subprocess.run([getattr(arguments, name) / "cman", *train], check=True, capture_output=True)
    starts = {name: lambda name=name: started(getattr(arguments, name), models[name], threads) for name in models}
    row("process start to first extraction", *in_turns(starts, 5 * arguments.rounds))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--corpus", type=Path, default="conll04/multihead", help="folder with train.txt and test.txt")
    parser.add_argument("--rounds", type=int, default=7, help="rounds per median")
    parser.add_argument("--batches", type=int, default=6, help="training batches")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, Path(folder))


if __name__ == "__main__":
    main()
