#!/usr/bin/env python3
"""Puts faults into the code, one at a time, and runs the test that must catch each of them.

    scripts/faults.py --list          what there is, without running anything
    scripts/faults.py --check         every snippet must be in its file exactly once; nothing is built
    scripts/faults.py                 all faults (hours on two cores: most of them build the kernels or the network)
    scripts/faults.py --only NAME     one fault; may be given several times

The faults go into a copy of the tracked and new files in TARGET/faults, never into the working tree. TARGET is
CARGO_TARGET_DIR, or `target`; the copy is built there too. Before the first fault, each test must pass without one
(`--no-baseline` leaves that out). A fault that does not compile counts as failed: it tests nothing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
COPY = TARGET / "faults"

# The whole workspace is selected so that burn keeps its features and is not built anew.
KERNELS = "--workspace --test kernels"
LATTICE = "--workspace --test lattice"
GOLDENS = "--workspace --test goldens"
DECISIONS = "--workspace --test decisions"
EPOCHS = "--workspace --test epochs"
GRADIENTS = "--workspace --test gradients"
UNITS = "--workspace --lib"


@dataclass
class Fault:
    name: str
    file: str
    original: str
    replacement: str
    tests: str
    filter: str = ""

    def command(self):
        command = ["cargo", "test", "--offline", "--quiet", *self.tests.split()]
        return command + (["--", *self.filter.split()] if self.filter else [])


FAULTS = [
    # Network
    Fault(
        "attention-scale",
        "crates/burn-ragged/src/attention/cpu.rs",
        "let scale = 1.0 / (d_head as f32).sqrt();\n        let of_block",
        "let scale = 1.0 / d_head as f32;\n        let of_block",
        KERNELS,
        "attention",
    ),
    Fault(
        "bla-residual",
        "crates/cman-core/src/attention/bla.rs",
        "labels, mode);\n        let residual = match self.residual {\n            Residual::Query => x.clone(),",
        "labels, mode);\n        let residual = match self.residual {\n            Residual::Query => labels.clone(),",
        GOLDENS,
    ),
    Fault(
        "fusion-order",  # eq. 6
        "crates/cman-core/src/model/label_interaction.rs",
        "Ragged::cat(vec![x, x1])",
        "Ragged::cat(vec![x1, x])",
        GOLDENS,
    ),
    Fault(
        "label-dropout",
        "crates/cman-core/src/model/label_interaction.rs",
        'let labels = mode.at("label").dropout(',
        "let labels = Mode::Evaluate.dropout(",
        EPOCHS,
        "dropout_masks",
    ),
    # Tag decoder
    Fault(
        "crf-end-score",
        "crates/burn-ragged/src/crf/cpu.rs",
        "f64::from(first[tags[0] as usize]) + f64::from(end[tags[n - 1] as usize]);",
        "f64::from(first[tags[0] as usize]);",
        KERNELS,
        "crf",
    ),
    Fault(
        "viterbi-tie",
        "crates/burn-ragged/src/crf/lattice.rs",
        "if score > next[to] {",
        "if score >= next[to] {",
        LATTICE,
    ),
    Fault(
        "viterbi-end",
        "crates/burn-ragged/src/crf/lattice.rs",
        "let total = |tag: usize| delta[tag] + self.end[tag];",
        "let total = |tag: usize| delta[tag];",
        LATTICE,
    ),
    Fault(
        "span-marginal",
        "crates/burn-ragged/src/crf/lattice.rs",
        ".filter(|&tag| tag as u32 != continuation);",
        ".filter(|&tag| tag as u32 != continuation || tag > 0);",
        LATTICE,
    ),
    Fault(
        "bio-decode",
        "crates/cman-data/src/bio.rs",
        "Tag::Inside(_) if Tag::allows(previous, tag) => {",
        "Tag::Inside(_) if !spans.is_empty() => {",
        "-p cman-data --lib",
        "bio",
    ),
    Fault(
        "span-order",
        "crates/cman-data/src/bio.rs",
        "spans[i].start, spans[i].kind));",
        "std::cmp::Reverse(spans[i].start), spans[i].kind));",
        "-p cman-data --test overlapping_spans",
    ),
    # Relations
    Fault(
        "relation-direction",
        "crates/cman-core/src/model/predict.rs",
        "(row, place(head), place(tail))",
        "(row, place(tail), place(head))",
        GOLDENS,
    ),
    Fault(
        "gold-direction",
        "crates/cman-data/src/encode.rs",
        "head: spans[relation.head].end - 1,\n                    tail: spans[relation.tail].end - 1,",
        "head: spans[relation.tail].end - 1,\n                    tail: spans[relation.head].end - 1,",
        "-p cman-data --test overlapping_spans",
    ),
    Fault(
        "self-pairs",
        "crates/burn-ragged/src/pairs/cpu/table.rs",
        "self.score(simd, v, block.len());",
        "self.score(simd, v, block.len());\n                if block.contains(&i) { self.scores[i - start] = -87.0; }",
        KERNELS,
        "pairs",
    ),
    Fault(
        "threshold",
        "crates/cman-core/src/relation/decode.rs",
        "if probability <= threshold {",
        "if probability < threshold {",
        DECISIONS,
    ),
    # Training
    Fault(
        "adversarial-norm",
        "crates/cman-core/src/adversarial.rs",
        ".square().sum_dims(&[1, 2])",
        ".square().sum_dims(&[0, 1, 2])",
        DECISIONS,
    ),
    Fault(
        "eta-sign",
        "crates/cman-train/src/adversarial.rs",
        "let perturbed = value + Tensor::from_inner(eta.into_values());",
        "let perturbed = value - Tensor::from_inner(eta.into_values());",
        GRADIENTS,
    ),
    Fault(
        "adam-correction",
        "crates/cman-train/src/adam.rs",
        "rate: (lr / correction(BETA_1)) as f32,",
        "rate: lr as f32,",
        UNITS,
        "adam",
    ),
    Fault(
        "clipping",
        "crates/cman-train/src/batch_gradients.rs",
        "let factor = config.clip_norm / all.norm;",
        "let factor = config.clip_norm;",
        GRADIENTS,
    ),
    Fault(
        "warm-up",
        "crates/cman-model/src/settings/schedule.rs",
        "return at / self.warmup_epochs;",
        "return (at + 1.0) / self.warmup_epochs;",
        UNITS,
        "schedule",
    ),
    Fault(
        "rate-of-batch",
        "crates/cman-train/src/learner/mod.rs",
        "(i + 1) as f64 / batches.len() as f64;",
        "i as f64 / batches.len() as f64;",
        EPOCHS,
        "learning_rate",
    ),
    Fault(
        "epoch-key",
        "crates/cman-train/src/learner/mod.rs",
        '.at("epoch").with(self.progress.epoch as u64);',
        '.at("epoch").with(0);',
        EPOCHS,
    ),
    Fault(
        "best-epoch",
        "crates/cman-train/src/learner/mod.rs",
        "metric > best.selection_metric",
        "metric >= best.selection_metric",
        EPOCHS,
    ),
    Fault(
        "patience",
        "crates/cman-train/src/learner/mod.rs",
        "stale >= patience",
        "stale > patience",
        EPOCHS,
    ),
    # Scores
    Fault(
        "micro-macro",
        "crates/cman-score/src/count.rs",
        "Section { micro: self.micro.into(), macro_, types }",
        "Section { micro: macro_, macro_: self.micro.into(), types }",
        "-p cman-score --test scoring_reference",
    ),
    Fault(
        "macro-mean",
        "crates/cman-score/src/scores.rs",
        "let n = f64::from(n.max(1));",
        "let n = f64::from(n.max(2));",
        "-p cman-score --test scoring_reference",
    ),
    # Kernels
    Fault(
        "linear-bias-half",
        "crates/burn-ragged/src/linear/cpu.rs",
        "panels.multiply(simd, from, to, base.columns_from(first));",
        "panels.multiply(simd, from, to, base);",
        KERNELS,
        "linear",
    ),
    Fault(
        "linear-bias-tail",
        "crates/burn-ragged/src/runtime/product/mod.rs",
        "Base::Row(row) => simd.add_f32s(load(simd, row, v), value),",
        "Base::Row(_) => value,",
        KERNELS,
        "linear",
    ),
    Fault(
        "bilstm-backward-start",
        "crates/burn-ragged/src/bilstm/cpu/plan.rs",
        "step.rows[..group.n_live(t + 1)]",
        "step.rows[..group.n_live(t + 2)]",
        KERNELS,
        "bilstm",
    ),
]


def fail(message):
    sys.exit(f"error: {message}")


def check(faults, root):
    """Every snippet stands in its file exactly once."""
    for fault in faults:
        path = root / fault.file
        count = path.read_text().count(fault.original) if path.is_file() else 0
        if count != 1:
            fail(f"{fault.name}: {fault.file} holds the snippet {count} times, expected once:\n{fault.original}")


def copy():
    """Brings the copy up to date. Files that are the same keep their times, so that cargo does not build them anew."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    wanted = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    if COPY.is_dir():
        for path in COPY.rglob("*"):
            if path.is_file() and str(path.relative_to(COPY)) not in wanted:
                path.unlink()
    for name in sorted(wanted):
        source, to = ROOT / name, COPY / name
        if to.is_file() and to.read_bytes() == source.read_bytes():
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, to)
        shutil.copymode(source, to)


def test(fault):
    """Whether the test passes, or None where it does not compile; and what was printed."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "CARGO_INCREMENTAL": "0", "RUST_BACKTRACE": "0"}
    command = fault.command()
    build = command[: command.index("--")] if "--" in command else command
    run = dict(cwd=COPY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    built = subprocess.run([*build, "--no-run"], **run)
    if built.returncode:
        return None, built.stdout
    tested = subprocess.run(command, **run)
    if not tested.returncode and "running 0 tests" in tested.stdout and not any(
        line.startswith("running ") and line != "running 0 tests" for line in tested.stdout.splitlines()
    ):
        fail(f"{fault.name}: no test is called `{fault.filter}`")
    return tested.returncode == 0, tested.stdout


def inject(fault):
    """The verdict on a fault; the copy is restored whatever happens."""
    path = COPY / fault.file
    original = path.read_text()
    try:
        path.write_text(original.replace(fault.original, fault.replacement))
        passed, output = test(fault)
    finally:
        path.write_text(original)
    if passed is None:
        return "DOES NOT COMPILE", output
    return ("SURVIVED", "") if passed else ("caught", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the faults and their tests")
    parser.add_argument("--check", action="store_true", help="only look for the snippets")
    parser.add_argument("--only", action="append", metavar="NAME", help="this fault only")
    parser.add_argument("--no-baseline", action="store_true", help="do not run the tests without a fault first")
    arguments = parser.parse_args()
    names = [fault.name for fault in FAULTS]
    for name in arguments.only or []:
        if name not in names:
            fail(f"no fault is called `{name}`; there are {', '.join(names)}")
    faults = [fault for fault in FAULTS if not arguments.only or fault.name in arguments.only]
    if arguments.list:
        for fault in faults:
            print(f"{fault.name:22} {fault.file}\n{'':22} {' '.join(fault.command())}")
        return
    check(faults, ROOT)
    if arguments.check:
        print(f"{len(faults)} snippets found")
        return
    copy()
    if not arguments.no_baseline:
        for command, fault in {tuple(fault.command()): fault for fault in faults}.items():
            passed, output = test(fault)
            if not passed:
                fail(f"without a fault, `{' '.join(command)}` fails:\n{output[-4000:]}")
    caught = 0
    for fault in faults:
        start = time.monotonic()
        verdict, output = inject(fault)
        caught += verdict == "caught"
        print(f"{fault.name:22} {verdict}  ({time.monotonic() - start:.0f} s)", flush=True)
        if output:
            print(output[-4000:])
    print(f"{caught} passed, {len(faults) - caught} failed")
    sys.exit(caught != len(faults))


if __name__ == "__main__":
    main()
