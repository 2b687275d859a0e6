"""Compares the losses, gradients and predictions of `model.py` with the reference values of the Rust tests."""

import json
from pathlib import Path

import torch
from safetensors import safe_open

from model import Cman, burn_views, collate, gradients, load_burn

GOLDENS = Path(__file__).parents[2] / "crates/cman-core/tests/goldens/cman.safetensors"


def take(items, lengths):
    items = iter(items)
    return [[next(items) for _ in range(n)] for n in lengths]


def main():
    with safe_open(GOLDENS, "pt") as file:
        case = json.loads(file.metadata()["case"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    sizes = case["sizes"]
    # Pretrained words follow the trained ones in the same table here.
    n_trained, sizes["words"] = sizes["words"], sizes["words"] + sizes["pretrained"]
    pretrained = tensors["embedding.word.pretrained"]
    tensors["embedding.word.trained"] = torch.cat([tensors["embedding.word.trained"], pretrained])
    model = Cman(case["config"], sizes)
    load_burn(model, tensors)
    model.double()

    lengths = tensors["input.lengths"].tolist()
    words, tags = (take(tensors[f"input.{name}"].tolist(), lengths) for name in ("words", "tags"))
    spellings = take(tensors["input.characters"].tolist(), tensors["input.character_lengths"].tolist())
    relations = [[] for _ in lengths]
    for sentence, *triple in tensors["input.relations"].tolist():
        relations[sentence].append(triple)
    parts = zip(words, take(spellings, lengths), tags, relations)
    sentences = [dict(zip(("words", "chars", "tags", "relations"), part)) for part in parts]
    batch = collate(sentences, sizes["relations"])
    batch.related = batch.related.double()

    ner, re = gradients(model, batch, case["alpha"], 1.0)
    worst = 0.0
    for name, value in (("loss.ner", ner), ("loss.re", re)):
        worst = max(worst, (value - tensors[f"expected.{name}"]).abs().item())
    for name, views in burn_views(model, lambda parameter: parameter.grad).items():
        gradient = views[0] if len(views) == 1 else torch.stack(views)
        gradient = gradient[:n_trained] if name == "embedding.word.trained" else gradient
        worst = max(worst, (gradient - tensors[f"expected.gradient.total.{name}"]).abs().max().item())
    assert worst < 1e-6, f"losses or gradients differ from the reference values by {worst:.1e}"

    found = dict(zip(batch.order, model.predict(batch)))
    entities = [[s, *entity] for s in range(len(lengths)) for entity in found[s][0]]
    related = [[s, *relation] for s in range(len(lengths)) for relation in sorted(found[s][1])]
    assert entities == tensors["expected.predicted.entities"].tolist(), "entities"
    assert related == tensors["expected.predicted.relations"].tolist(), "relations"
    print(f"model.py equals the reference values: losses and gradients to {worst:.1e}, predictions exactly")


if __name__ == "__main__":
    main()
