#!/usr/bin/env python3
"""F1 over the number of annotated sentences: chosen by `cman suggest`, and at random.

usage: scripts/suggest_curve.py CORPUS OUT.json --vectors FILE [--types FILE] [--program "cman"] [--seeds 1 2 3]

Every seed starts with the same 100 sentences of the shuffled training data. In every round a model is trained from nothing
on what is annotated so far and scored on dev and test; then 100 more sentences are chosen and get their gold annotation. The
last of 40 epochs is kept, so neither dev nor test data choose anything. CORPUS is a folder with train, dev and test data
in any format that `cman convert` reads. Curves that OUT.json has already are not run again.
"""

import argparse
import json
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

STRATEGIES = ["random", "answer", "token", "ranks"]  # at random, and `cman suggest --by`
STEP, ROUNDS, EPOCHS = 100, 4, 40
SETTINGS = ["train.adversarial.alpha=0"]
SCORES = [f"{part}_{task}" for part in ("dev", "test") for task in ("entities", "relations")]


class Experiment:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        parts = {path.stem.split("_")[-1]: path for path in sorted(arguments.corpus.iterdir())}
        self.files = {part: folder / f"{part}.json" for part in ("train", "dev", "test")}
        for part, file in self.files.items():
            self.cman("convert", parts[part], file, "--to", "spert")
        self.sentences = json.loads(self.files["train"].read_text())
        for number, sentence in enumerate(self.sentences):
            sentence["orig_id"] = number
        self.first = {}

    def cman(self, *arguments):
        done = subprocess.run([*self.arguments.program, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{arguments}\n{done.stderr}")
        return done.stdout

    def train(self, chosen, seed, name):
        """Trains on these sentences. Returns the model and its scores."""
        train, model = self.folder / "chosen.json", self.folder / name
        train.write_text(json.dumps(chosen))
        options = [word for setting in SETTINGS for word in ("--set", setting)]
        options += ["--types", self.arguments.types] if self.arguments.types else []
        self.cman("train", "--train", train, "--vectors", self.arguments.vectors, "--epochs", EPOCHS, "--seed", seed,
                  "--out", model, "--force", *options)
        found = []
        for part in ("dev", "test"):
            scores = json.loads(self.cman("evaluate", "--model", model, "--data", self.files[part], "--json", "-"))
            found += [round(100 * scores[task]["strict"]["micro"]["f1"], 2) for task in ("entities", "relations")]
        return model, dict(zip(SCORES, found))

    def suggested(self, model, criterion, chosen, rest):
        """The sentences that the model suggests."""
        pool, annotated = self.folder / "pool.jsonl", self.folder / "chosen.json"
        pool.write_text("\n".join(json.dumps({"id": i, "tokens": one["tokens"]}) for i, one in enumerate(rest)))
        annotated.write_text(json.dumps(chosen))
        found = self.cman("suggest", pool, "--model", model, "--n", STEP, "--by", criterion, "--annotated", annotated)
        return [rest[json.loads(line)["id"]] for line in found.splitlines()]

    def curve(self, strategy, seed):
        """A row for each round."""
        order = list(self.sentences)
        random.Random(seed).shuffle(order)
        chosen = order[:STEP]
        if seed not in self.first:  # what all strategies start from
            self.first = {seed: self.train(chosen, seed, "first")}
        model, scores = self.first[seed]
        for number in range(ROUNDS):
            counts = {key: sum(len(sentence[key]) for sentence in chosen) for key in ("tokens", "entities", "relations")}
            yield {"strategy": strategy, "seed": seed, "sentences": len(chosen), **counts, **scores}
            if number == ROUNDS - 1:
                return
            taken = {sentence["orig_id"] for sentence in chosen}
            rest = [sentence for sentence in order if sentence["orig_id"] not in taken]
            more = rest[:STEP] if strategy == "random" else self.suggested(model, strategy, chosen, rest)
            chosen = chosen + more
            model, scores = self.train(chosen, seed, "model")


def table(rows):
    """Mean and deviation over the seeds."""
    print("| chosen | sentences | tokens | " + " | ".join(SCORES) + " |\n" + "|---" * (3 + len(SCORES)) + "|")
    for strategy in STRATEGIES:
        for size in sorted({row["sentences"] for row in rows}):
            of = [row for row in rows if (row["strategy"], row["sentences"]) == (strategy, size)]
            if of:
                values = [[row[key] for row in of] for key in SCORES]
                figures = [f"{statistics.mean(v):.2f} ± {statistics.stdev(v) if len(v) > 1 else 0:.2f}" for v in values]
                tokens = statistics.mean(row["tokens"] for row in of)
                print(f"| {strategy} | {size} | {tokens:,.0f} | {' | '.join(figures)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--types", type=Path)
    parser.add_argument("--program", type=str.split, default=["cman"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()

    rows = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        experiment = Experiment(arguments, Path(folder))
        for seed in arguments.seeds:
            for strategy in STRATEGIES:
                if sum((row["seed"], row["strategy"]) == (seed, strategy) for row in rows) == ROUNDS:
                    continue
                rows = [row for row in rows if (row["seed"], row["strategy"]) != (seed, strategy)]
                rows += list(experiment.curve(strategy, seed))
                arguments.out.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
                print(json.dumps(rows[-1]), flush=True)
    table(rows)


if __name__ == "__main__":
    main()
