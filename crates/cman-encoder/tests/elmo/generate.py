"""Writes a tiny random ELMo in the published layout and its reference vectors: `python generate.py`. See README.md.

The reference runs one sentence at a time, character by character and step by step, in double precision. It follows the
equations of Peters et al. (2018) and of Kim et al. (2016).
"""

import json
from pathlib import Path

import h5py
import numpy as np
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
OPTIONS = {
    "lstm": {
        "use_skip_connections": True,
        "projection_dim": 6,
        "cell_clip": 0.6,
        "proj_clip": 0.4,
        "dim": 20,
        "n_layers": 2,
    },
    "char_cnn": {
        "activation": "tanh",
        "filters": [[1, 4], [2, 5], [4, 7]],
        "n_highway": 1,
        "embedding": {"dim": 3},
        "n_characters": 262,
        "max_characters_per_token": 12,
    },
}
# Batches whose size varies, with an empty sentence, an empty token, a long token, other scripts and boundary marks.
BATCHES = [
    [["The", "cat", "sat", "."], ["Ja"], ["extraordinarily", "long", "words", "and", "an", "", "empty", "one"]],
    [["Grüße", "aus", "東京"], []],
    [["One"], ["<S>", "is", "a", "mark"], ["cat", "cat"], ["</S>", "extraordinarily", "extraordinariness"]],
    [["last", "batch"], ["of", "all", "."], ["the", "cat"]],
]


def weights():
    """The tensors under their published names."""
    generator = np.random.default_rng(8)
    lstm, characters = OPTIONS["lstm"], OPTIONS["char_cnn"]
    d_state, d_cell, d_character = lstm["projection_dim"], lstm["dim"], characters["embedding"]["dim"]
    shapes = {"char_embed": (characters["n_characters"] - 1, d_character)}
    for i, (width, n) in enumerate(characters["filters"]):
        shapes[f"CNN/W_cnn_{i}"] = (1, width, d_character, n)
        shapes[f"CNN/b_cnn_{i}"] = (n,)
    n_filters = sum(n for _, n in characters["filters"])
    for i in range(characters["n_highway"]):
        for gate in ("carry", "transform"):
            shapes[f"CNN_high_{i}/W_{gate}"] = (n_filters, n_filters)
            shapes[f"CNN_high_{i}/b_{gate}"] = (n_filters,)
    shapes["CNN_proj/W_proj"] = (n_filters, d_state)
    shapes["CNN_proj/b_proj"] = (d_state,)
    for direction in range(2):
        for layer in range(lstm["n_layers"]):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes[f"{cell}/W_0"] = (2 * d_state, 4 * d_cell)
            shapes[f"{cell}/B"] = (4 * d_cell,)
            shapes[f"{cell}/W_P_0"] = (d_cell, d_state)
    return {name: generator.uniform(-0.7, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}


def character_ids(token):
    characters = {"<S>": [256], "</S>": [257]}.get(token)
    if characters is None:
        characters = list(token.encode())[: OPTIONS["char_cnn"]["max_characters_per_token"] - 2]
    ids = [258, *characters, 259]
    return ids + [260] * (OPTIONS["char_cnn"]["max_characters_per_token"] - len(ids))


def token_vector(w, token):
    x = w["char_embed"][character_ids(token)]  # [characters, d_character]
    features = []
    for i, (width, _) in enumerate(OPTIONS["char_cnn"]["filters"]):
        kernel = w[f"CNN/W_cnn_{i}"].squeeze(0).permute(2, 1, 0)  # [n, d_character, width]
        convolved = torch.conv1d(x.T[None], kernel, w[f"CNN/b_cnn_{i}"])[0]
        features.append(torch.tanh(convolved).max(dim=1).values)
    y = torch.cat(features)
    for i in range(OPTIONS["char_cnn"]["n_highway"]):
        gate = torch.sigmoid(y @ w[f"CNN_high_{i}/W_carry"] + w[f"CNN_high_{i}/b_carry"])
        transform = torch.relu(y @ w[f"CNN_high_{i}/W_transform"] + w[f"CNN_high_{i}/b_transform"])
        y = gate * transform + (1 - gate) * y
    return y @ w["CNN_proj/W_proj"] + w["CNN_proj/b_proj"]


def run_direction(w, direction, xs, state):
    """The outputs of all layers for one sentence. `state` holds (h, c) of each layer and is updated."""
    lstm = OPTIONS["lstm"]
    outputs = [xs]
    for layer in range(lstm["n_layers"]):
        cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
        h, c = state[layer]
        ys = []
        for x in outputs[-1]:
            gates = torch.cat([x, h]) @ w[f"{cell}/W_0"] + w[f"{cell}/B"]
            i, g, f, o = gates.split(lstm["dim"])
            c = torch.sigmoid(f + 1.0) * c + torch.sigmoid(i) * torch.tanh(g)
            c = c.clamp(-lstm["cell_clip"], lstm["cell_clip"])
            h = (torch.sigmoid(o) * torch.tanh(c)) @ w[f"{cell}/W_P_0"]
            h = h.clamp(-lstm["proj_clip"], lstm["proj_clip"])
            ys.append(h + x if layer > 0 and lstm["use_skip_connections"] else h)
        state[layer] = (h, c)
        outputs.append(ys)
    return outputs


def encode(w, tokens, states):
    """`[tokens, layers, 2 d_state]`. `states` are updated."""
    xs = [token_vector(w, token) for token in ["<S>", *tokens, "</S>"]]
    forward = run_direction(w, 0, xs, states[0])
    backward = [layer[::-1] for layer in run_direction(w, 1, xs[::-1], states[1])]
    layers = [torch.stack([torch.cat(pair) for pair in zip(*both)]) for both in zip(forward, backward)]
    return torch.stack(layers, 1)[1:-1]


def zero_states():
    d_state, d_cell = OPTIONS["lstm"]["projection_dim"], OPTIONS["lstm"]["dim"]
    zeros = lambda n: torch.zeros(n, dtype=torch.float64)
    return [[(zeros(d_state), zeros(d_cell)) for _ in range(OPTIONS["lstm"]["n_layers"])] for _ in range(2)]


def main():
    tensors = weights()
    with h5py.File(HERE / "weights.hdf5", "w") as file:
        for name, value in tensors.items():
            # The published files are contiguous, but other files may be chunked.
            compressed = {"chunks": (5, 16), "compression": "gzip"} if name.endswith("Cell1/LSTMCell/W_0") else {}
            file.create_dataset(name, data=value, **compressed)
    (HERE / "options.json").write_text(json.dumps(OPTIONS, indent=2) + "\n")
    w = {name: torch.from_numpy(value).double() for name, value in tensors.items()}
    expected = {}
    places = {}
    for b, batch in enumerate(BATCHES):
        for i, tokens in enumerate(batch):
            if tokens:
                expected[f"alone.{b}.{i}"] = encode(w, tokens, zero_states()).contiguous()
                expected[f"carried.{b}.{i}"] = encode(w, tokens, places.setdefault(i, zero_states())).contiguous()
    metadata = {"batches": json.dumps(BATCHES, ensure_ascii=False)}
    save_file(expected, HERE / "expected.safetensors", metadata)


if __name__ == "__main__":
    main()
