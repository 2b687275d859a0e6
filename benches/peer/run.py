"""Compares our network with PyTorch, in turns on the same batches of a real corpus: medians and ratios.

Build our side first, then run with a Python that has torch, numpy and safetensors (docs/PERFORMANCE.md):

    cargo build --release --workspace --bins --examples
    python benches/peer/run.py --out peer.json
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

import corpus
from model import BiLstm, Cman, RelationScorer, adam, collate, load_burn, train_step
from ours import LSTM, Ours, peak

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "Mrs. Tsuruyama is from Kumamoto Prefecture in Japan .".split()
ALPHA = {"clean": 0.0, "adversarial": 0.01}
RATE = 5e-4
LAYERS = 3


def contextual(batch, width):
    """The contextual vectors of `commands.rs`. `[sentences, tokens, layers, width]`"""
    if not width:
        return None
    shape = (len(batch), max(map(corpus.length, batch)), LAYERS, width)
    i = np.arange(np.prod(shape), dtype=np.uint32)
    values = ((i * np.uint32(2654435761)) >> np.uint32(8)).astype(np.float32) / 2**23 - 1
    return torch.from_numpy(values.reshape(shape))


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.threads = 1 if arguments.clock == "cpu" else arguments.threads
        self.config = (ROOT / "configs/conll04.toml").read_text()
        train, test = (corpus.read(arguments.corpus / f"{name}.txt") for name in ("train", "test"))
        self.encoder = corpus.Encoder(train)
        self.train = [self.encoder.encode(sentence) for sentence in train]
        self.test = sorted((self.encoder.encode(sentence, False) for sentence in test), key=corpus.length)
        self.batches = corpus.bucketed(self.train, 16, 8, seed=1)
        self.results = {}

    def timed(self, work):
        clock = time.perf_counter if self.arguments.clock == "wall" else time.process_time
        start = clock()
        work()
        return clock() - start

    def in_turns(self, sides, rounds):
        """Calls the function of each side in turn. Returns the seconds of all rounds except the first, which warms up."""
        taken = {name: [] for name in sides}
        for round in range(rounds + 1):
            for name, work in sides.items():
                time.sleep(0.005)  # lets the threads of the other side go to sleep
                seconds = work()
                if round:
                    taken[name].append(seconds)
        return taken

    def network(self, ours):
        """The PyTorch network with our weights."""
        config = tomllib.loads(ours("config"))["model"]
        path = self.folder / "weights.safetensors"
        ours("save", path)
        network = Cman(config, self.encoder.sizes)
        load_burn(network, load_file(path))
        return network

    def same_loss(self, ours, network, batch):
        """Checks that both sides compute the same losses."""
        network.eval()
        with torch.no_grad():
            found = [loss.item() for loss in network.losses(network.embed(batch), batch)]
        network.train()
        expected = ours("loss", 0)
        assert np.allclose(found, expected, rtol=1e-4), f"losses differ: ours {expected}, PyTorch {found}"

    def rate(self):
        """GFLOP/s of single-precision products, the higher of both sides."""
        ours, x, n = self.plain, torch.randn(2048, 2048), 2048
        sides = {"ours": lambda: ours.seconds("product", n), "PyTorch": lambda: self.timed(lambda: x @ x)}
        taken = self.in_turns(sides, 4 * self.arguments.rounds)
        rates = {name: 2 * n**3 / statistics.median(seconds) / 1e9 for name, seconds in taken.items()}
        self.results["product"] = rates
        print("\nproduct of 2048 x 2048, GFLOP/s: " + ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items()))
        return max(rates.values())

    # Measurements.

    def steps(self):
        """Training steps, and their share of the peak product rate."""
        batches = self.batches[:: max(1, len(self.batches) // self.arguments.batches)][: self.arguments.batches]
        rate = self.rate()
        self.header("training step, batch 16", "sentences/s ours", "PyTorch", "ratio", "useful GFLOP", "share of products")
        for width in (0, 1024):
            ours = Ours(self, batches, width, self.threads)
            theirs = [collate(b, self.encoder.sizes["relations"], contextual(b, width)) for b in batches]
            network = self.network(ours)
            self.same_loss(ours, network, theirs[0])
            optimizer = adam(network, RATE)
            for kind, alpha in ALPHA.items():
                taken = [
                    self.in_turns(
                        {
                            "ours": lambda: ours.seconds("step", i, kind),
                            "PyTorch": lambda: self.timed(lambda: train_step(network, optimizer, batch, alpha)),
                        },
                        self.arguments.rounds,
                    )
                    for i, batch in enumerate(theirs)
                ]
                mine, other = (sum(statistics.median(t[side]) for t in taken) for side in ("ours", "PyTorch"))
                operations = sum(ours("operations", i, kind) for i in range(len(batches))) / 1e9
                sentences = sum(map(len, batches))
                self.row(
                    f"{width} contextual, {kind}",
                    taken,
                    f"{sentences / mine:.0f}",
                    f"{sentences / other:.0f}",
                    f"{other / mine:.2f}",
                    f"{operations:.1f}",
                    f"{100 * operations / mine / rate:.0f} %",
                )
            ours.close()

    def extraction(self):
        """Extraction by a network trained enough to find entities."""
        ours = self.plain
        for _ in range(3):
            for i in range(len(self.batches)):
                ours("step", i, "clean")
        network = self.network(ours).eval()
        n, test, n_relations = len(self.test), self.test, self.encoder.sizes["relations"]

        def predict(first, last):
            return network.predict(collate(test[first:last], n_relations))

        def all_of_them():
            return [found for i in range(0, n, 32) for found in predict(i, min(n, i + 32))]

        entities, relations = (sum(len(found[k]) for found in all_of_them()) for k in (0, 1))
        mine = ours("extract", 0, n, 32)
        self.header("extraction", "ours", "PyTorch", "ratio")
        print(f"(entities: {mine['entities']} and {entities}, relations: {mine['relations']} and {relations})")
        sides = {"ours": lambda: ours.seconds("extract", 0, n, 32), "PyTorch": lambda: self.timed(all_of_them)}
        taken = self.in_turns(sides, self.arguments.rounds)
        a, b = (statistics.median(taken[side]) for side in ("ours", "PyTorch"))
        self.row("batch 32, sentences/s", taken, f"{n / a:.0f}", f"{n / b:.0f}", f"{b / a:.2f}")

        singles = [
            self.in_turns(
                {
                    "ours": lambda: ours.seconds("extract", i, i + 1, 32),
                    "PyTorch": lambda: self.timed(lambda: predict(i, i + 1)),
                },
                3,
            )
            for i in range(0, n, 4)
        ]
        a, b = (statistics.median(s for taken in singles for s in taken[side]) for side in ("ours", "PyTorch"))
        self.row("one sentence, p50, ms", singles, f"{1e3 * a:.2f}", f"{1e3 * b:.2f}", f"{b / a:.2f}")

    def lstm(self):
        ours = self.plain
        self.header(
            "BiLSTM, ragged: ms", "ours", "PyTorch packed", "PyTorch padded", "burn", "packed / ours", "burn / ours"
        )
        for shape in LSTM:
            batch, steps, d_input, d_hidden = shape
            lengths = torch.tensor([steps - i * (steps - steps // 4) // batch for i in range(batch)])
            lstm, x = BiLstm(d_input, d_hidden), torch.randn(batch, steps, d_input)
            grad = x.clone().requires_grad_()

            def forward(run):
                with torch.inference_mode():
                    run(x)

            for kind in ("infer", "train"):

                def torch_side(run):
                    if kind == "infer":
                        return lambda: self.timed(lambda: forward(run))
                    return lambda: self.timed(lambda: run(grad).sum().backward())

                sides = {
                    "ours": lambda: ours.seconds("bilstm", "ours", *shape, kind),
                    "packed": torch_side(lambda x: lstm.states(x, lengths)),
                    "padded": torch_side(lambda x: lstm(x)[0]),
                    "burn": lambda: ours.seconds("bilstm", "burn", *shape, kind),
                }
                taken = self.in_turns(sides, 4 * self.arguments.rounds)
                a, b, c, d = (1e3 * statistics.median(taken[side]) for side in sides)
                name = f"{shape}, forward" + (" and backward" if kind == "train" else "")
                numbers = (f"{x:.2f}" for x in (a, b, c, d, b / a, d / a))
                self.row(name, taken, *numbers)

    def memory(self):
        """Peak memory of new processes."""
        longest = sorted(self.train, key=corpus.length)[-16:]
        self.header("peak memory, MiB", "ours", "PyTorch", "ratio", "ours, above start", "PyTorch, above start", "ratio")
        for width in (0, 1024):
            ours = Ours(self, [longest], width, self.threads)
            ours("parameters")
            start = ours.peak()
            for _ in range(3):
                ours("step", 0, "adversarial")
            a, a0 = ours.peak(), start
            b, b0 = self.worker("steps", ours.path)
            ours.close()
            self.row(
                f"training, 16 longest sentences, {width} contextual",
                [a, b, a0, b0],
                *(f"{x:.0f}" for x in (a, b)),
                f"{b / a:.2f}",
                *(f"{x:.0f}" for x in (a - a0, b - b0)),
                f"{(b - b0) / (a - a0):.1f}",
            )
        self.header("relation loss and gradients of one sentence, MiB above start", "ours", "PyTorch")
        for n in (30, 60, 120, 240, 480):
            ours = Ours(self, [longest], 0, self.threads)
            ours("parameters")
            start = ours.peak()
            ours("relation", n)
            a = ours.peak() - start
            b, b0 = self.worker("relation", n)
            ours.close()
            self.row(f"{n} tokens", [a, b - b0], f"{a:.1f}", f"{b - b0:.1f}")

    def worker(self, *words):
        command = [sys.executable, __file__, "--threads", str(self.threads), "--worker", *map(str, words)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def scaling(self):
        batches = self.batches[:: max(1, len(self.batches) // self.arguments.batches)][: self.arguments.batches]
        self.header("our training step, ms", "1 thread", f"{self.threads} threads", "ratio")
        for width in (0, 1024):
            one, all_ = (Ours(self, batches, width, threads) for threads in (1, self.threads))
            for kind in ALPHA:
                taken = [
                    self.in_turns(
                        {"one": lambda: one.seconds("step", i, kind), "all": lambda: all_.seconds("step", i, kind)},
                        self.arguments.rounds,
                    )
                    for i in range(len(batches))
                ]
                a, b = (1e3 * sum(statistics.median(t[side]) for t in taken) / len(batches) for side in ("one", "all"))
                self.row(f"{width} contextual, {kind}", taken, f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}")
            one.close()
            all_.close()

    def start(self):
        """From the start of a process to its first extraction."""
        cman, model = self.arguments.programs / "cman", self.folder / "model"
        train = ["train", "--corpus", self.arguments.corpus, "--epochs", "1", "--out", model]
        subprocess.run([cman, *train], check=True, capture_output=True)
        weights = self.folder / "weights.pt"
        ours = Ours(self, self.batches[:1], 0, self.threads)
        torch.save(self.network(ours).state_dict(), weights)
        data = ours.path
        ours.close()

        def seconds():
            if self.arguments.clock == "wall":
                return time.perf_counter()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            return used.ru_utime + used.ru_stime

        def process(command):
            start = seconds()
            subprocess.run(command, input=" ".join(SENTENCE), text=True, check=True, capture_output=True)
            return seconds() - start

        peer = [sys.executable, __file__, "--threads", str(self.threads), "--worker", "extract", data, weights]
        sides = {
            "ours": lambda: process([cman, "--threads", str(self.threads), "predict", "--model", model]),
            "PyTorch": lambda: process(peer),
        }
        self.header("process start to first extraction, ms", "ours", "PyTorch")
        taken = self.in_turns(sides, 2 * self.arguments.rounds)
        a, b = (1e3 * statistics.median(taken[side]) for side in sides)
        self.row("model load included", taken, f"{a:.0f}", f"{b:.0f}")

    def header(self, *columns):
        self.table = columns[0]
        self.results[self.table] = {"columns": columns[1:], "rows": {}}
        print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")

    def row(self, name, taken, *numbers):
        self.results[self.table]["rows"][name] = {"numbers": numbers, "taken": taken}
        print(f"| {name} | {' | '.join(numbers)} |", flush=True)

    def run(self):
        self.plain = Ours(self, self.batches, 0, self.threads)
        print(f"{platform.platform()}, {processor()}; {self.threads} threads, {self.arguments.clock} clock")
        print(f"torch {torch.__version__}; {self.plain('parameters')} parameters; load {os.getloadavg()[0]:.1f}")
        for cell in self.arguments.cells:
            if (cell, self.arguments.clock) == ("scaling", "cpu"):
                continue  # more threads do not reduce processor time
            getattr(self, cell)()
        self.plain.close()


def processor():
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return f"{len(names)} x {names[0]}"


def work(words):
    """Runs one measurement in a new process. Prints its peak memory after and before."""
    match words:
        case ["steps", path]:
            data = json.loads(Path(path).read_text())
            network = Cman(model_config(data), data["sizes"])
            batch = data["batches"][0]
            batch = collate(batch, data["sizes"]["relations"], contextual(batch, data["contextual"]))
            optimizer = adam(network, RATE)
            start = peak()
            for _ in range(3):
                train_step(network, optimizer, batch, ALPHA["adversarial"])
        case ["relation", n]:
            n = int(n)
            scorer = RelationScorer(2, 128, 5)
            u, w = torch.randn(2, 1, n, 640).requires_grad_().unbind(0)
            start = peak()
            table = scorer.scores(u, w)
            F.binary_cross_entropy_with_logits(table, torch.zeros(1, n, n, 5), reduction="sum").backward()
        case ["extract", path, weights]:
            data = json.loads(Path(path).read_text())
            network = Cman(model_config(data), data["sizes"]).eval()
            network.load_state_dict(torch.load(weights))
            start = peak()
            sentence = {"words": [1] * len(SENTENCE), "chars": [[1] * len(word) for word in SENTENCE], "tags": []}
            network.predict(collate([sentence], data["sizes"]["relations"]))
    print(json.dumps([peak(), start]))


def model_config(data):
    """The settings of configs/conll04.toml with the defaults that it omits."""
    config = tomllib.loads(data["config"])["model"]
    config["word"] = {"width": 50}
    config["character"]["embedding"] = 25
    config["contextual"] = {"width": data["contextual"], "layers": LAYERS}
    return config


def parser_of(description):
    """A command line with the arguments of every measurement."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default="conll04/multihead", help="folder with train.txt and test.txt")
    parser.add_argument("--programs", type=Path, default=ROOT / "target/release", help="folder with cman and examples/peer")
    parser.add_argument("--out", type=Path, help="JSON file for all measured times")
    return parser


def measure(kind, arguments):
    """Runs a bench. If it fails, the results so far are still written."""
    with tempfile.TemporaryDirectory() as folder:
        bench = kind(arguments, Path(folder))
        try:
            bench.run()
        finally:
            if arguments.out:
                arguments.out.write_text(json.dumps(bench.results, indent=1) + "\n")


def main():
    cells = ["steps", "extraction", "lstm", "memory", "scaling", "start"]
    parser = parser_of(__doc__)
    parser.add_argument("--cells", nargs="+", choices=cells, default=cells, help="what to measure")
    parser.add_argument("--rounds", type=int, default=7, help="rounds per median")
    parser.add_argument("--batches", type=int, default=12, help="training batches")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--clock",
        choices=["wall", "cpu"],
        default="wall",
        help="cpu: processor time with one thread per side, for a shared machine",
    )
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1 if arguments.clock == "cpu" else arguments.threads)
    if arguments.worker:
        return work(arguments.worker)
    measure(Bench, arguments)


if __name__ == "__main__":
    main()
