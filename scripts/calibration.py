#!/usr/bin/env python3
"""Expected calibration error before and after temperature scaling on dev data.

usage: scripts/calibration.py CORPUS OUT.json --vectors FILE [--program "cman"] [--seeds 1 2 3]

For every seed a model is trained for 30 epochs, of which dev data choose one; `cman calibrate` fits the temperatures on dev data
and measures them on test data. CORPUS is a folder with train.txt, dev.txt and test.txt. Seeds that OUT.json has already are not
run again.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

EPOCHS = 30


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--program", type=str.split, default=["cman"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()

    rows = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for seed in arguments.seeds:
        if any(row["seed"] == seed for row in rows):
            continue
        with tempfile.TemporaryDirectory() as folder:
            model, found = Path(folder) / "model", Path(folder) / "found.json"
            train = ["train", "--corpus", arguments.corpus, "--vectors", arguments.vectors, "--epochs", EPOCHS]
            data = [arguments.corpus / f"{part}.txt" for part in ("dev", "test")]
            calibrate = ["calibrate", "--model", model, "--data", data[0], "--test", data[1], "--json", found]
            for command in ([*train, "--seed", seed, "--out", model], calibrate):
                subprocess.run([*arguments.program, *map(str, command)], check=True, capture_output=True)
            rows.append(row(seed, json.loads(found.read_text())))
        arguments.out.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    keys = [key for key in rows[0] if key != "seed"]
    for key in keys:
        values = [row[key] for row in rows]
        print(f"{key}: {statistics.mean(values):.2f} ± {statistics.stdev(values) if len(values) > 1 else 0:.2f}")


def row(seed, found):
    """The temperatures, and the errors in percent."""
    errors = {
        f"{part}, {task}, {when}": round(100 * found[key][task][when]["calibration_error"], 2)
        for key, part in (("data", "dev"), ("test", "test"))
        for task in ("entities", "relations")
        for when in ("before", "after")
    }
    temperatures = {f"temperature, {task}": round(value, 3) for task, value in found["temperatures"].items()}
    return {"seed": seed, **temperatures, **errors}


if __name__ == "__main__":
    main()
