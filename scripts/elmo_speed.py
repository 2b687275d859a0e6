#!/usr/bin/env python3
"""A full-size ELMo with random weights here and in PyTorch, side by side on this CPU.

    cargo build --workspace --example elmo_speed
    python scripts/elmo_speed.py target/debug/examples/elmo_speed [--rounds 3] [--threads 2] [--folder DIR]

Needs torch, h5py and numpy. Writes the model to DIR once (`crates/cman-encoder/tests/elmo/full_size.py`), and
sentences of 5 to 45 tokens. Every round runs PyTorch, then the program. PyTorch encodes batches of 64 sentences, the
longest first, by nn.LSTM(proj_size=512) over packed sequences and by a loop over steps with one input product for all
of them; the faster counts. (nn.LSTM does not clip; with these weights nothing reaches the bounds, and the vectors of the
first sentence are compared.) Word vectors are computed once for each distinct word on both sides.
Tokens per second of CPU time (of all threads) are beside those by the clock, for a machine that is not quiet.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import torch
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

sys.path.insert(0, str(Path(__file__).parent.parent / "crates/cman-encoder/tests/elmo"))
import full_size

BATCH = 64
MARKS = {"<S>": [256], "</S>": [257]}
LSTM, CHARACTERS = full_size.OPTIONS["lstm"], full_size.OPTIONS["char_cnn"]
CLIP, D_STATE, D_CELL = LSTM["cell_clip"], LSTM["projection_dim"], LSTM["dim"]


def sentences(count):
    generator = np.random.default_rng(1)
    words = ["".join(generator.choice(list("etaoinshrdlu"), n)) for n in generator.integers(2, 12, 2500)]
    return [[words[i] for i in generator.integers(0, len(words), n)] for n in generator.integers(5, 46, count)]


class Model:
    def __init__(self, path):
        with h5py.File(path) as file:
            self.w = {}
            file.visititems(lambda name, x: self.w.update({name: torch.from_numpy(x[()])}) if hasattr(x, "shape") else None)
        self.directions = [[self.layer(d, layer) for layer in range(LSTM["n_layers"])] for d in range(2)]

    def layer(self, direction, layer):
        cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
        bias = self.w[f"{cell}/B"].clone()
        bias[2 * D_CELL : 3 * D_CELL] += 1
        i, g, f, o = self.w[f"{cell}/W_0"].split(D_CELL, dim=1)
        bi, bg, bf, bo = bias.split(D_CELL)
        weight, bias = torch.cat([i, f, g, o], dim=1), torch.cat([bi, bf, bg, bo])  # PyTorch's order
        lstm = torch.nn.LSTM(D_STATE, D_CELL, proj_size=D_STATE)
        projection = self.w[f"{cell}/W_P_0"]
        with torch.no_grad():
            lstm.weight_ih_l0.copy_(weight[:D_STATE].T)
            lstm.weight_hh_l0.copy_(weight[D_STATE:].T)
            lstm.bias_ih_l0.copy_(bias)
            lstm.bias_hh_l0.zero_()
            lstm.weight_hr_l0.copy_(projection.T)
        return lstm, weight[:D_STATE].contiguous(), weight[D_STATE:].contiguous(), bias, projection

    def word_vectors(self, words):
        n = CHARACTERS["max_characters_per_token"]
        ids = [[258, *MARKS.get(word, list(word.encode())[: n - 2]), 259] for word in words]
        ids = torch.tensor([x + [260] * (n - len(x)) for x in ids])
        chunks = []
        for chunk in ids.split(128):
            x = self.w["char_embed"][chunk].transpose(1, 2)
            features = []
            for i in range(len(CHARACTERS["filters"])):
                kernel = self.w[f"CNN/W_cnn_{i}"].squeeze(0).permute(2, 1, 0)
                features.append(torch.relu(torch.conv1d(x, kernel, self.w[f"CNN/b_cnn_{i}"]).max(dim=2).values))
            y = torch.cat(features, dim=1)
            for i in range(CHARACTERS["n_highway"]):
                linear = lambda gate: y @ self.w[f"CNN_high_{i}/W_{gate}"] + self.w[f"CNN_high_{i}/b_{gate}"]
                gate = torch.sigmoid(linear("carry"))
                y = gate * torch.relu(linear("transform")) + (1 - gate) * y
            chunks.append(y @ self.w["CNN_proj/W_proj"] + self.w["CNN_proj/b_proj"])
        return torch.cat(chunks)

    def packed(self, direction, xs):
        outputs = [xs]
        for i, (lstm, *_) in enumerate(self.directions[direction]):
            ys = unpack_sequence(lstm(pack_sequence(outputs[-1]))[0])
            outputs.append([x + y for x, y in zip(outputs[-1], ys)] if i > 0 else ys)
        return outputs

    def loop(self, direction, xs):
        packed = pack_sequence(xs)
        outputs = [packed.data]
        for i, (_, w_ih, w_hh, bias, projection) in enumerate(self.directions[direction]):
            gates = torch.addmm(bias, outputs[-1], w_ih)
            h, c = torch.zeros(len(xs), D_STATE), torch.zeros(len(xs), D_CELL)
            ys, start = [], 0
            for n in packed.batch_sizes.tolist():
                step = torch.addmm(gates[start : start + n], h[:n], w_hh)
                i_, f_, g_, o_ = step.split(D_CELL, dim=1)
                c = (f_.sigmoid_() * c[:n] + i_.sigmoid_() * g_.tanh_()).clamp_(-CLIP, CLIP)
                h = ((o_.sigmoid_() * c.tanh()) @ projection).clamp_(-CLIP, CLIP)
                ys.append(h)
                start += n
            y = torch.cat(ys)
            outputs.append(y + outputs[-1] if i > 0 else y)
        return [unpack_sequence(packed._replace(data=data)) for data in outputs]

    def encode(self, batch, table, rows, run):
        xs = [table[[rows[word] for word in ["<S>", *sentence, "</S>"]]] for sentence in batch]
        forward = run(0, xs)
        backward = [[x.flip(0) for x in layer] for layer in run(1, [x.flip(0) for x in xs])]
        layers = [[torch.cat(pair, dim=1) for pair in zip(*both)] for both in zip(forward, backward)]
        return [torch.stack(layer, dim=1)[1:-1].contiguous() for layer in zip(*layers)]


def clock(run):
    """Seconds by the clock and of CPU time, and the result."""
    start = np.array([time.perf_counter(), time.process_time()])
    result = run()
    return np.array([time.perf_counter(), time.process_time()]) - start, result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("target/elmo_full_size"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    if not (options.folder / "options.json").exists():
        full_size.main(options.folder)
    corpus = sentences(options.sentences)
    order = sorted(corpus, key=len, reverse=True)
    text = options.folder / "sentences.txt"
    text.write_text("".join(" ".join(sentence) + "\n" for sentence in order))
    n_tokens = sum(map(len, corpus))
    words = list(dict.fromkeys(["<S>", "</S>", *(word for sentence in order for word in sentence)]))
    rows = {word: i for i, word in enumerate(words)}
    print(f"{len(corpus)} sentences, {n_tokens} tokens, {len(words) - 2} distinct words, {options.threads} threads")

    model = Model(options.folder / "weights.hdf5")
    table = model.word_vectors(words)
    times, found = {}, {}

    def note(name, value):
        times.setdefault(name, []).append(value)

    for _ in range(options.rounds):
        of_words = clock(lambda: model.word_vectors(words))[0]
        for name, run in (("nn.LSTM", model.packed), ("loop", model.loop)):
            batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
            seconds, vectors = clock(lambda: [model.encode(batch, table, rows, run) for batch in batches])
            for words_are, times_ in (("known", seconds), ("new", seconds + of_words)):
                for unit, value in zip(("s", "CPU s"), n_tokens / times_):
                    note(f"PyTorch {name}, {words_are} words: tokens/{unit}", value)
            found[name] = vectors[0][0]
        first = options.folder / "first.bin"
        command = [options.program, options.folder, text, "--passes", "3", "--first", first]
        environment = os.environ | {"RAYON_NUM_THREADS": str(options.threads)}
        output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        for name, value in (line.split() for line in output.splitlines()):
            note(f"here: {name}", float(value))
        ours = torch.from_numpy(np.fromfile(first, np.float32))
        for name, vectors in found.items():
            note(f"largest difference from PyTorch {name}", (ours - vectors.flatten()).abs().max().item())
    for name, values in times.items():
        print(f"{name:48} median {statistics.median(values):10.4g}   {' '.join(f'{x:.4g}' for x in values)}")


if __name__ == "__main__":
    main()
