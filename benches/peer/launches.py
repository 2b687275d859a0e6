"""Counts the kernels that our side launches on a GPU per training step.

    cargo build --release --workspace --bins --examples --features wgpu
    python benches/peer/launches.py

Software Vulkan works too.
"""

import os
import time

import corpus
from ours import Ours
from run import ALPHA, Bench, measure, parser_of, processor


class Launches(Bench):
    def run(self):
        print(f"{processor()}; {self.arguments.device}")
        # burn's GPU backends log every launch to a file if `cubecl.toml` in the working directory says so.
        self.log = self.folder / "launches.log"
        logger = f'[profiling]\nlogger = {{ level = "minimal", file = "{self.log}" }}\n'
        (self.folder / "cubecl.toml").write_text(logger)
        os.chdir(self.folder)
        sizes = self.arguments.sizes
        batches = [next(b for b in corpus.bucketed(self.train, size, 8, seed=1) if len(b) == size) for size in sizes]
        ours = Ours(self, batches, 0, 0, self.arguments.device)
        self.header("training step", "sentences", "tokens of the longest", "launches")
        for i, batch in enumerate(batches):
            for kind in ALPHA:
                ours("step", i, kind)  # tunes kernels
                before = self.lines()
                ours("step", i, kind)
                numbers = len(batch), max(map(corpus.length, batch)), self.lines() - before
                self.row(kind, [], *map(str, numbers))
        ours.close()

    def lines(self):
        """Number of lines of the log, once it stops growing."""
        size = -1
        while self.log.stat().st_size > size:
            size = self.log.stat().st_size
            time.sleep(1)
        return self.log.read_text().count("\n")


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--device", default="wgpu")
    parser.add_argument("--sizes", nargs="+", type=int, default=[2, 8], help="sentences of a batch")
    arguments = parser.parse_args()
    arguments.programs, arguments.out = arguments.programs.resolve(), arguments.out and arguments.out.resolve()
    arguments.clock, arguments.threads = "wall", 0
    measure(Launches, arguments)


if __name__ == "__main__":
    main()
