"""Compares our devices and PyTorch on a GPU, in turns on the same batches of a real corpus.

Build our side with the backends to measure, then run with a Python whose torch supports the GPU (docs/PERFORMANCE.md):

    cargo build --release --workspace --bins --examples --features wgpu
    python benches/peer/gpu.py --out gpu.json
"""

import statistics
import time

import numpy as np
import torch

import corpus
from model import adam, collate, train_step
from ours import Ours
from run import ALPHA, RATE, Bench, contextual, measure, parser_of, processor

GPU = torch.device("cuda")
LEARN = 100


class GpuBench(Bench):
    """Each of our devices has its own process, with the batches of all sizes."""

    def timed(self, work):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    def in_turns(self, sides, rounds):
        """As in `Bench`, after a first call per side that compiles and tunes kernels. Its seconds are added up."""
        for name, work in sides.items():
            start = time.perf_counter()
            work()
            self.first_calls[name] = self.first_calls.get(name, 0.0) + time.perf_counter() - start
        return super().in_turns(sides, rounds)

    def run(self):
        self.first_calls = {}
        print(f"{torch.cuda.get_device_name()}; {processor()}; torch {torch.__version__}")
        for width in self.arguments.widths:
            of_size = {size: self.of_size(size) for size in self.arguments.sizes}
            batches = [batch for batches in of_size.values() for batch in batches]
            ours = {name: Ours(self, batches, width, 0, name) for name in self.arguments.devices}
            network = self.network(next(iter(ours.values()))).to(GPU)
            optimizer = adam(network, RATE)
            self.same_losses(ours, network, collate(batches[0], self.encoder.sizes["relations"], contextual(batches[0], width)))
            self.header(f"sentences/s, {width} contextual", *(f"ours, {name}" for name in ours), "PyTorch", "first calls, s")
            first = 0
            for size, batches in of_size.items():
                self.training(ours, network, optimizer, batches, first, size, width)
                first += len(batches)
            if width == 0:
                for side in ours.values():
                    for step in range(LEARN):  # an untrained network finds no entities
                        side("step", step % first, "clean")
                for size in self.arguments.sizes:
                    self.extracting(ours, size)
            for side in ours.values():
                side.close()

    def of_size(self, size):
        all = corpus.bucketed(self.train, size, 8, seed=1)
        whole = [batch for batch in all if len(batch) == size]
        return whole[:: max(1, len(whole) // self.arguments.batches)][: self.arguments.batches]

    def same_losses(self, ours, network, batch):
        """Checks that all sides compute the same losses. TF32 in PyTorch limits the accuracy."""
        network.eval()
        with torch.no_grad():
            found = [loss.item() for loss in network.losses(network.embed(batch.to(GPU)), batch.to(GPU))]
        network.train()
        for name, side in ours.items():
            expected = side("loss", 0)
            assert np.allclose(found, expected, rtol=1e-2), f"losses differ: {name} {expected}, PyTorch {found}"

    def training(self, ours, network, optimizer, batches, first, size, width):
        """PyTorch's batches are on the GPU beforehand. Our time includes making them from ids."""
        for kind, alpha in ALPHA.items():
            taken = []
            for i, batch in enumerate(batches, first):
                batch = collate(batch, self.encoder.sizes["relations"], contextual(batch, width)).to(GPU)
                sides = {name: lambda side=side: side.seconds("step", i, kind) for name, side in ours.items()}
                sides["PyTorch"] = lambda: self.timed(lambda: train_step(network, optimizer, batch, alpha))
                taken.append(self.in_turns(sides, self.arguments.rounds))
            self.rates(f"{size}, {kind}", taken, size * len(batches))

    def extracting(self, ours, size):
        network = self.network(next(iter(ours.values()))).to(GPU).eval()
        n, test, n_relations = len(self.test), self.test, self.encoder.sizes["relations"]

        def all_of_them():
            return [f for i in range(0, n, size) for f in network.predict(collate(test[i : i + size], n_relations).to(GPU))]

        sides = {name: lambda side=side: side.seconds("extract", 0, n, size) for name, side in ours.items()}
        sides["PyTorch"] = lambda: self.timed(all_of_them)
        self.rates(f"{size}, extraction", [self.in_turns(sides, self.arguments.rounds)], n)
        entities = {name: side("extract", 0, n, size)["entities"] for name, side in ours.items()}
        entities["PyTorch"] = sum(len(found[0]) for found in all_of_them())
        print(f"(entities: {entities})")

    def rates(self, name, taken, sentences):
        seconds = [sum(statistics.median(t[side]) for t in taken) for side in taken[0]]
        first, self.first_calls = self.first_calls, {}
        self.row(name, taken, *(f"{sentences / s:.0f}" for s in seconds), " / ".join(f"{first[side]:.1f}" for side in taken[0]))


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--devices", nargs="+", default=["wgpu", "flex"], help="our devices")
    parser.add_argument("--sizes", nargs="+", type=int, default=[16, 32, 64, 128, 256], help="sentences of a batch")
    parser.add_argument("--widths", nargs="+", type=int, default=[0, 1024], help="widths of the contextual input")
    parser.add_argument("--rounds", type=int, default=5, help="rounds per median")
    parser.add_argument("--batches", type=int, default=2, help="training batches of each size")
    arguments = parser.parse_args()
    arguments.clock, arguments.threads = "wall", 0
    # Products on tensor cores, as most PyTorch users configure it. Ours are in full precision.
    torch.set_float32_matmul_precision("high")
    measure(GpuBench, arguments)


if __name__ == "__main__":
    main()
