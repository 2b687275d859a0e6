"""Writes the reference values `*.safetensors` beside this file: `python generate.py`. See README.md."""

import copy
import json
import math
from pathlib import Path

import torch
from safetensors.torch import save
from torch.nn.utils.rnn import pad_sequence

from network import Cman, burn_tensors, gold_score, log_partition, path_scores

ALPHA = 0.01
THRESHOLD = 0.5
NAN, PADDING = float("nan"), 7.0

# Every case starts from these settings, which are small but otherwise the defaults without dropout.
DEFAULTS = {
    "hidden": 4,
    "layers": 2,
    "heads": 2,
    "attention_bias": False,
    "self_attention": True,
    "layer_norm": True,
    "sequence": "bilstm",
    "word": {"width": 5, "trainable": True, "lowercase": True},
    "character": {"kind": "bilstm", "embedding": 3, "width": 6},
    "contextual": {"width": 0, "layers": 0, "mix": "scalar"},
    "label": {"kind": "attention", "width": 3, "residual": "query"},
    "crf": {"score": "linear", "constraints": False, "hidden": 0},
    "relation": {"hidden": 4, "shared": False, "none_label": False, "ends": "last", "threshold": THRESHOLD},
    "dropout": {"input": 0.0, "label": 0.0, "sequence": 0.0},
}
SIZES = {"words": 12, "characters": 9, "entities": 3, "relations": 3, "pretrained": 0}

# Seed, changes to the settings, changes to the sizes.
CASES = {
    "cman": (8, {}, {"pretrained": 3}),
    "variants": (
        3,
        {
            "hidden": 6,
            "attention_bias": True,
            "sequence": "mlp",
            "character": {"kind": "cnn", "width": 7},
            "contextual": {"width": 4, "layers": 3},
            "label": {"residual": "keys"},
            "crf": {"score": "input", "constraints": True},
        },
        {},
    ),
    "multihead": (
        31,
        {
            "hidden": 5,
            "layers": 3,
            "self_attention": False,
            "layer_norm": False,
            "label": {"kind": "concatenate"},
            "crf": {"hidden": 5},
            "relation": {"shared": True, "none_label": True},
        },
        {"pretrained": 2},
    ),
    "ablations": (
        5,
        {
            "self_attention": False,
            "word": {"trainable": False},
            "character": {"kind": "none"},
            "contextual": {"width": 4, "layers": 2, "mix": "top"},
            "label": {"kind": "none"},
        },
        {},
    ),
}

# Tags: O = 0, B-t = 2t + 1, I-t = 2t + 2. Relations: last token of the head, last token of the tail, type.
SENTENCES = [
    {"tags": [1, 2, 0, 3], "relations": [(1, 3, 2)]},
    {"tags": [0, 5, 6, 6, 1, 3, 4], "relations": [(3, 4, 0), (6, 3, 1), (6, 4, 0), (6, 4, 2)]},
    {"tags": [3], "relations": []},
    {"tags": [0, 0, 1, 3, 0], "relations": [(3, 2, 1)]},
]


def settings(changes):
    config = copy.deepcopy(DEFAULTS)
    for key, value in changes.items():
        if isinstance(value, dict):
            config[key].update(value)
        else:
            config[key] = value
    return config


def draw_batch(config, sizes, generator):
    """The sentences with random words. Equal ids have equal characters, and words come twice; id 0 is padding."""
    n_ids = sizes["words"] + sizes["pretrained"]

    def integers(low, high, n):
        return torch.randint(low, high, (n,), generator=generator).tolist()

    spellings = [integers(1, sizes["characters"], length) for length in integers(1, 6, n_ids)]
    batch = []
    for annotation in SENTENCES:
        n = len(annotation["tags"])
        words = integers(1, n_ids, n)
        shape = (n, config["contextual"]["layers"], config["contextual"]["width"])
        contextual = torch.randn(shape, generator=generator).double()
        batch.append(annotation | {"words": words, "contextual": contextual})
    batch[1]["words"][2] = batch[0]["words"][0]
    if sizes["pretrained"]:
        batch[1]["words"][4] = batch[3]["words"][1] = n_ids - 1
        batch[0]["words"][2] = sizes["words"]
    for sentence in batch:
        sentence["characters"] = [spellings[word] for word in sentence["words"]]
    return batch


def draw_parameters(model, generator):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "bias_hh" in name:
                continue
            values = 0.8 * (2.0 * torch.rand(parameter.shape, generator=generator) - 1.0)
            is_scale = name.endswith("norm.weight") or name.endswith("gamma")
            parameter.copy_(values + (1.0 if is_scale else 0.0))


def padded(tensors, value):
    """`[sentences, tokens of the longest, ..]` with this value at padding."""
    assert all(not tensor.isnan().any() for tensor in tensors)
    return pad_sequence([tensor.detach() for tensor in tensors], batch_first=True, padding_value=value)


def padded_tables(tables):
    """`[sentences, heads, tails, relations]`, NaN if a pair is not within a sentence."""
    n = max(len(table) for table in tables)
    full = torch.full((len(tables), n, n, tables[0].shape[2]), NAN, dtype=torch.float64)
    for row, table in zip(full, tables):
        row[: len(table), : len(table)] = table.detach()
    return full


def integers(rows):
    return torch.tensor(rows, dtype=torch.int64)


def inputs(batch, config):
    words = [word for sentence in batch for word in sentence["characters"]]
    relations = [(s, *relation) for s, sentence in enumerate(batch) for relation in sentence["relations"]]
    tensors = {
        "lengths": integers([len(sentence["words"]) for sentence in batch]),
        "words": integers([word for sentence in batch for word in sentence["words"]]),
        "character_lengths": integers([len(word) for word in words]),
        "characters": integers([character for word in words for character in word]),
        "tags": integers([tag for sentence in batch for tag in sentence["tags"]]),
        "relations": integers(relations),
    }
    if config["contextual"]["width"]:
        tensors["contextual"] = padded([sentence["contextual"] for sentence in batch], PADDING).float()
    return tensors


def values(xs, output, batch):
    """Every intermediate value from the inputs to the losses."""
    potentials = output["potentials"]
    first, pair, end = zip(*potentials)
    unused = torch.full_like(first[0], NAN).expand(1, len(first[0]), -1)  # the first token follows no tag
    pairs = [p.detach() for p in pair]
    longest = max(len(p) for p in pairs)
    pairs = [torch.cat([unused, p, unused.expand(longest - len(p), -1, -1)]) for p in pairs]
    partitions = [log_partition(*p) for p in potentials]
    for p, partition in zip(potentials, partitions):
        assert torch.allclose(path_scores(*p).flatten().logsumexp(0), partition, rtol=1e-12)
    scores = [gold_score(*p, sentence["tags"]) for p, sentence in zip(potentials, batch)]
    tensors = {
        "x": padded(xs, NAN),
        "crf.first": torch.stack(first),
        "crf.pair": torch.stack(pairs),
        "crf.end": end[0],
        "log_partition": torch.stack(partitions),
        "gold_score": torch.stack(scores),
        "interaction": padded(output["labels"]["output"], NAN),
        "table": padded_tables(output["tables"]),
    }
    for i, unit in enumerate(output["bsa"]):
        tensors[f"bsa.{i}"] = padded(unit, NAN)
    for name in ("first", "fused"):
        if name in output["labels"]:
            tensors[f"labels.{name}"] = padded(output["labels"][name], NAN)
    return tensors


def spans(tags):
    """(start, end, type) of the entities. A stray I-t starts an entity."""
    found = []
    for i, tag in enumerate(tags):
        kind = (tag - 1) // 2
        continues = tag % 2 == 0 and i > 0 and tags[i - 1] in (tag - 1, tag)
        if tag and continues:
            found[-1] = (found[-1][0], i + 1, kind)
        elif tag:
            found.append((i, i + 1, kind))
    return found


def predictions(model, xs):
    """Inference by enumerating all sequences of tags, without dynamic programming."""
    potentials = model(xs, [[0] * len(x) for x in xs])["potentials"]
    all_paths = [path_scores(*p) for p in potentials]
    all_paths = [(scores - scores.flatten().logsumexp(0)).exp().detach() for scores in all_paths]
    viterbi = []
    for paths in all_paths:
        best, second = paths.flatten().topk(2)[0].tolist()
        assert best > 1.001 * second, "the best tags are clear"
        viterbi.append([int(tag) for tag in torch.unravel_index(paths.argmax(), paths.shape)])
    n_tags = len(potentials[0][0])
    marginals = [
        paths.movedim(t, 0).reshape(n_tags, -1).sum(1) for paths in all_paths for t in range(paths.dim())
    ]
    entities, entity_probabilities, relations, relation_probabilities = [], [], [], []
    tables = model(xs, viterbi)["tables"]
    for s, (paths, tags, table) in enumerate(zip(all_paths, viterbi, tables)):
        found = spans(tags)
        for start, end, kind in found:
            entities.append((s, start, end, kind))
            own = (slice(None),) * start + tuple(tags[start:end])
            probability = paths[own].sum()
            if end < len(tags):  # the entity ends there: excludes the paths that continue with I-t
                probability = probability - paths[own + (2 * kind + 2,)].sum()
            entity_probabilities.append(probability)
        pairs = [(a, b) for a in range(len(found)) for b in range(len(found)) if a != b]
        for a, b in pairs:
            for kind in range(model.n_relations):
                probability = table[found[a][1] - 1, found[b][1] - 1, kind].sigmoid().detach()
                assert abs(probability - THRESHOLD) > 1e-4, "the relations are clear"
                if probability > THRESHOLD:
                    relations.append((s, a, b, kind))
                    relation_probabilities.append(probability)
    return {
        "viterbi": integers([tag for tags in viterbi for tag in tags]),
        "tag_probabilities": torch.stack(marginals),
        "entities": integers(entities),
        "entity_probabilities": torch.stack(entity_probabilities),
        "relations": integers(relations),
        "relation_probabilities": torch.stack(relation_probabilities),
    }


def gradients(model, loss):
    """The gradients of a loss with respect to every trained parameter."""
    model.zero_grad()
    loss.backward()
    tensors = burn_tensors(model, lambda parameter: None if parameter.grad is None else parameter.grad.clone())
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    return tensors


def generate(name):
    seed, changes, sizes = CASES[name]
    config, sizes = settings(changes), SIZES | sizes
    generator = torch.Generator().manual_seed(seed)
    model = Cman(config, sizes).double()
    draw_parameters(model, generator)
    batch = draw_batch(config, sizes, generator)
    gold_tags = [sentence["tags"] for sentence in batch]

    def embed():
        return [model.embedding(sentence) for sentence in batch]

    def joint(xs):
        ner, re = model.losses(model(xs, gold_tags), batch)
        return ner + re

    xs = embed()
    output = model(xs, gold_tags)
    ner, re = model.losses(output, batch)
    expected = values(xs, output, batch) | {"loss.ner": ner.view(1), "loss.re": re.view(1)}
    expected |= {f"predicted.{key}": tensor for key, tensor in predictions(model, xs).items()}

    deltas = [torch.zeros_like(x, requires_grad=True) for x in xs]
    clean = joint([x + delta for x, delta in zip(embed(), deltas)])
    expected |= {f"gradient.joint.{path}": g for path, g in gradients(model, clean).items()}
    g = [delta.grad for delta in deltas]
    eta = [ALPHA * math.sqrt(x.shape[1]) * x / x.norm() for x in g]
    expected |= {"gradient.x": padded(g, 0.0), "eta": padded(eta, 0.0)}

    xs = embed()
    clean, adversarial = joint(xs), joint([x + e for x, e in zip(xs, eta)])
    expected["loss.adversarial"] = adversarial.view(1)
    expected |= {f"gradient.total.{path}": g for path, g in gradients(model, clean + adversarial).items()}

    tensors = {path: tensor.float() for path, tensor in burn_tensors(model, lambda parameter: parameter).items()}
    tensors |= {f"input.{key}": tensor for key, tensor in inputs(batch, config).items()}
    tensors |= {f"expected.{key}": tensor for key, tensor in expected.items()}
    tensors = {key: tensors[key].detach().contiguous().clone() for key in sorted(tensors)}
    case = {"config": config, "sizes": sizes, "alpha": ALPHA}
    Path(__file__).with_name(f"{name}.safetensors").write_bytes(save(tensors, {"case": json.dumps(case)}))
    print(f"{name}: {len(tensors)} tensors, L_ner {ner:.6f}, L_re {re:.6f}, adversarial {adversarial:.6f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in CASES:
        generate(name)
