"""Batches of encoded sentences from a corpus in the multi-head text format."""

import ast
import random


def read(path):
    sentences = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#doc"):
            sentences.append({"words": [], "tags": [], "relations": []})
            continue
        if not line.strip():
            continue
        token, word, tag, kinds, tails = line.split("\t")
        sentence = sentences[-1]
        sentence["words"].append(word)
        sentence["tags"].append(tag)
        for kind, tail in zip(ast.literal_eval(kinds), ast.literal_eval(tails)):
            if kind != "N":
                sentence["relations"].append((int(token), tail, kind))
    return sentences


class Encoder:
    """Vocabularies of the training sentences. Padding is 0, the unknown word or character is 1."""

    def __init__(self, sentences):
        def ids(names, first):
            return {name: first + i for i, name in enumerate(dict.fromkeys(names))}

        words = [word for sentence in sentences for word in sentence["words"]]
        self.words = ids((word.lower() for word in words), 2)
        self.characters = ids((char for word in words for char in word), 2)
        entities = sorted({tag[2:] for sentence in sentences for tag in sentence["tags"] if tag != "O"})
        self.tags = {"O": 0} | {f"{bi}-{kind}": 2 * i + j for i, kind in enumerate(entities) for j, bi in ((1, "B"), (2, "I"))}
        self.relations = ids((kind for sentence in sentences for _, _, kind in sentence["relations"]), 0)
        self.sizes = {
            "words": len(self.words) + 2,
            "characters": len(self.characters) + 2,
            "entities": len(entities),
            "relations": len(self.relations),
        }

    def encode(self, sentence, annotated=True):
        return {
            "words": [self.words.get(word.lower(), 1) for word in sentence["words"]],
            "chars": [[self.characters.get(char, 1) for char in word] for word in sentence["words"]],
            "tags": [self.tags[tag] for tag in sentence["tags"]] if annotated else [],
            "relations": [(i, j, self.relations[kind]) for i, j, kind in sentence["relations"]] if annotated else [],
        }


def length(sentence):
    return len(sentence["words"])


def bucketed(sentences, batch_size, bucket, seed):
    """The batches of an epoch as in the learner: shuffled, sorted within buckets, shuffled again."""
    generator = random.Random(seed)
    order = generator.sample(sentences, len(sentences))
    buckets = [order[i : i + bucket * batch_size] for i in range(0, len(order), bucket * batch_size)]
    batches = []
    for members in buckets:
        members.sort(key=length)
        batches += [members[i : i + batch_size] for i in range(0, len(members), batch_size)]
    return generator.sample(batches, len(batches))
