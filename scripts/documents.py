#!/usr/bin/env python3
"""Writes documents for measurements: sentences of the sample corpus with other names, put together to texts.

usage: scripts/documents.py SENTENCES OUT.jsonl [--sentences-per-document N]

A document has one to N sentences (default 1: a document is a sentence). Equal arguments give equal bytes.
"""

import argparse
import json
import random
from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[1] / "crates/cman-data/sample"


def join(tokens):
    """Tokens as text: no space before punctuation."""
    text = ""
    for token in tokens:
        text += token if not text or token in {".", ",", ";", ":", "!", "?", "'s", ")"} else " " + token
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sentences", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sentences-per-document", type=int, default=1)
    arguments = parser.parse_args()

    corpus = json.loads((SAMPLE / "train.json").read_text())
    names = {}
    for sentence in corpus:
        for entity in sentence["entities"]:
            names.setdefault(entity["type"], []).append(sentence["tokens"][entity["start"] : entity["end"]])
    draw = random.Random(1)
    written = number = 0
    with arguments.out.open("w") as out:
        while written < arguments.sentences:
            texts = []
            for _ in range(min(draw.randint(1, arguments.sentences_per_document), arguments.sentences - written)):
                sentence = draw.choice(corpus)
                tokens = list(sentence["tokens"])
                for entity in sorted(sentence["entities"], key=lambda entity: -entity["start"]):
                    tokens[entity["start"] : entity["end"]] = draw.choice(names[entity["type"]])
                texts.append(join(tokens))
                written += 1
            out.write(json.dumps({"id": number, "text": " ".join(texts)}, ensure_ascii=False) + "\n")
            number += 1


if __name__ == "__main__":
    main()
