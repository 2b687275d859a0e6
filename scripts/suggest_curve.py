#!/usr/bin/env python3
"""F1 over the number of annotated sentences: chosen by `cman suggest`, and at random.

usage: scripts/suggest_curve.py TRAIN TEST OUT.json --types FILE --vectors FILE [--program "cman"] [--seeds 1 2 3]

Every seed starts with the same 100 sentences of the shuffled training data. In every round a model is trained from nothing
on what is annotated so far and scored on the test data; then 100 more sentences are chosen and get their gold annotation.
Every training sees 12,000 sentences, whatever the number of different ones. Nothing is chosen on the test data: the last
epoch is kept. TRAIN and TEST are SpERT JSON (`cman convert` writes it). Complete curves in OUT.json are not run again.
"""

import argparse
import json
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

STRATEGIES = {"random": None, "suggest, per sentence": "sentence", "suggest, per token": "token"}
STEP, ROUNDS, SEEN = 100, 5, 12_000
SETTINGS = ["train.adversarial.alpha=0"]


def run(program, *arguments):
    done = subprocess.run([*program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{arguments}\n{done.stderr}")
    return done.stdout


def trained(arguments, chosen, seed, folder):
    """Trains on these sentences, and returns the model with its F1 on the test data."""
    train, model = folder / "train.json", folder / "model"
    train.write_text(json.dumps(chosen))
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    run(arguments.program, "train", "--train", train, "--types", arguments.types, "--vectors", arguments.vectors,
        "--epochs", SEEN // len(chosen), "--seed", seed, "--out", model, "--force", *settings)
    scores = json.loads(run(arguments.program, "evaluate", "--model", model, "--data", arguments.test, "--json", "-"))
    return model, [100 * scores[task]["strict"]["micro"]["f1"] for task in ("entities", "relations")]


def suggested(arguments, model, unit, chosen, rest, folder):
    """The sentences that the model suggests."""
    pool, annotated = folder / "pool.jsonl", folder / "annotated.json"
    lines = [json.dumps({"id": i, "tokens": sentence["tokens"]}) for i, sentence in enumerate(rest)]
    pool.write_text("\n".join(lines))
    annotated.write_text(json.dumps(chosen))
    found = run(arguments.program, "suggest", pool, "--model", model, "--n", STEP, "--per", unit, "--annotated", annotated)
    return [rest[json.loads(line)["id"]] for line in found.splitlines()]


def curve(arguments, sentences, strategy, seed):
    """A row for each round."""
    order = list(sentences)
    random.Random(seed).shuffle(order)
    chosen = order[:STEP]
    for number in range(ROUNDS):
        key = {"strategy": strategy, "seed": seed, "sentences": len(chosen)}
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            model, (entities, relations) = trained(arguments, chosen, seed, folder)
            yield key | {
                "tokens": sum(len(sentence["tokens"]) for sentence in chosen),
                "gold_entities": sum(len(sentence["entities"]) for sentence in chosen),
                "gold_relations": sum(len(sentence["relations"]) for sentence in chosen),
                "entities_f1": round(entities, 2),
                "relations_f1": round(relations, 2),
            }
            if number == ROUNDS - 1:
                return
            taken = {sentence["orig_id"] for sentence in chosen}
            rest = [sentence for sentence in order if sentence["orig_id"] not in taken]
            unit = STRATEGIES[strategy]
            chosen = chosen + (suggested(arguments, model, unit, chosen, rest, folder) if unit else rest[:STEP])


def table(rows):
    """Mean and deviation over the seeds."""
    print("| chosen | sentences | tokens | entities F1 | relations F1 |\n|---|---|---|---|---|")
    for strategy in STRATEGIES:
        for size in sorted({row["sentences"] for row in rows}):
            of = [row for row in rows if row["strategy"] == strategy and row["sentences"] == size]
            if not of:
                continue
            figures = []
            for key in ("entities_f1", "relations_f1"):
                values = [row[key] for row in of]
                spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
                figures.append(f"{statistics.mean(values):.2f}{spread}")
            tokens = statistics.mean(row["tokens"] for row in of)
            print(f"| {strategy} | {size} | {tokens:,.0f} | {figures[0]} | {figures[1]} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--types", type=Path, required=True)
    parser.add_argument("--program", type=str.split, default=["cman"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()

    sentences = json.loads(arguments.train.read_text())
    for number, sentence in enumerate(sentences):
        sentence["orig_id"] = number
    rows = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for seed in arguments.seeds:
        for strategy in STRATEGIES:
            if sum((row["seed"], row["strategy"]) == (seed, strategy) for row in rows) == ROUNDS:
                continue
            rows = [row for row in rows if (row["seed"], row["strategy"]) != (seed, strategy)]
            for row in curve(arguments, sentences, strategy, seed):
                print(json.dumps(row), flush=True)
                rows.append(row)
                arguments.out.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    table(rows)


if __name__ == "__main__":
    main()
