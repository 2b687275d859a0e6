"""Our side of a comparison."""

import json
import subprocess
from pathlib import Path

# Batch, longest sequence, input and state of the BiLSTMs that are measured.
LSTM = [(1, 30, 256, 128), (8, 40, 256, 128), (8, 40, 1330, 128), (32, 40, 256, 128)]


class Ours:
    """The process of `main.rs` on these batches."""

    def __init__(self, bench, batches, width, threads, device="flex"):
        self.clock = bench.arguments.clock
        self.path = bench.folder / f"data-{width}-{len(batches)}-{threads}-{device}.json"
        data = {"config": bench.config, "contextual": width, "sizes": bench.encoder.sizes}
        self.path.write_text(json.dumps(data | {"batches": batches, "test": bench.test}))
        command = [bench.arguments.programs / "examples/peer", self.path, str(threads), device]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def seconds(self, *words):
        answer = self(*words)
        return answer.get("took", answer)[self.clock]

    def peak(self):
        return peak(self.process.pid)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peak(pid="self"):
    """Peak memory of a process so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
