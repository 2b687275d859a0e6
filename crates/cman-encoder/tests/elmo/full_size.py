"""Writes an ELMo of the published size with random weights, in the published layout: `python full_size.py DIR`."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np

OPTIONS = {
    "lstm": {
        "use_skip_connections": True,
        "projection_dim": 512,
        "cell_clip": 3,
        "proj_clip": 3,
        "dim": 4096,
        "n_layers": 2,
    },
    "char_cnn": {
        "activation": "relu",
        "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]],
        "n_highway": 2,
        "embedding": {"dim": 16},
        "n_characters": 262,
        "max_characters_per_token": 50,
    },
}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(8)
    lstm, characters = OPTIONS["lstm"], OPTIONS["char_cnn"]
    d_state, d_cell, d_character = lstm["projection_dim"], lstm["dim"], characters["embedding"]["dim"]
    n_filters = sum(n for _, n in characters["filters"])
    with h5py.File(folder / "weights.hdf5", "w") as file:

        def put(name, *shape):
            bound = 1 / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.1
            file.create_dataset(name, data=generator.uniform(-bound, bound, shape).astype(np.float32))

        file.create_dataset("char_embed", data=generator.uniform(-1, 1, (261, d_character)).astype(np.float32))
        for i, (width, n) in enumerate(characters["filters"]):
            put(f"CNN/W_cnn_{i}", 1, width, d_character, n)
            put(f"CNN/b_cnn_{i}", n)
        for i in range(characters["n_highway"]):
            for gate in ("carry", "transform"):
                put(f"CNN_high_{i}/W_{gate}", n_filters, n_filters)
                put(f"CNN_high_{i}/b_{gate}", n_filters)
        put("CNN_proj/W_proj", n_filters, d_state)
        put("CNN_proj/b_proj", d_state)
        for direction in range(2):
            for layer in range(lstm["n_layers"]):
                cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
                put(f"{cell}/W_0", 2 * d_state, 4 * d_cell)
                put(f"{cell}/B", 4 * d_cell)
                put(f"{cell}/W_P_0", d_cell, d_state)
    (folder / "options.json").write_text(json.dumps(OPTIONS, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
