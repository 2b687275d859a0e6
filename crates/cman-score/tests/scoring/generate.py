"""Stores random sentences with the scores that `reference.py` computes for them.

From this folder,

    python3 generate.py

writes `cases.jsonl` and `bootstrap.json` deterministically. A line of `cases.jsonl` holds the sentences of a small
corpus ("s") and the expected scores of each scorer ("e"). A sentence is [number of tokens, gold entities, gold
relations, prediction]; an entity is [type, start, end]; a relation is [label, head, tail]; a prediction is [entities,
relations] or tags and token pairs (see `reference.py`). Types and labels are indices into ENTITIES and RELATIONS, of
which only the first ones are declared. A section is {"t": {type: [tp, fp, fn]}, "m": [tp, fp, fn, p, r, f1], "M": macro
[p, r, f1]}, without the values that the published scorer lacks.
"""

import json
import random

from reference import DECLARED_ENTITIES, DECLARED_RELATIONS, ENTITIES, RELATIONS, Annotation, all_scores, bootstrap


def random_entity(rng, n, unknown):
    start = rng.randrange(n)
    kinds = len(ENTITIES) if rng.random() < unknown else DECLARED_ENTITIES
    return [rng.randrange(kinds), start, min(n, start + rng.choice([1, 1, 2, 3]))]


def random_relation(rng, entities, unknown):
    labels = len(RELATIONS) if rng.random() < unknown else DECLARED_RELATIONS
    return [rng.randrange(labels), rng.randrange(entities), rng.randrange(entities)]


def random_gold(rng, n, unknown):
    entities = [random_entity(rng, n, unknown) for _ in range(rng.choice([0, 1, 2, 2, 3, 4]) if n else 0)]
    if rng.random() < 0.7:  # mostly without overlap
        kept = []
        for e in entities:
            if all(e[2] <= k[1] or k[2] <= e[1] for k in kept):
                kept.append(e)
        entities = kept
    relations = [random_relation(rng, len(entities), unknown) for _ in range(rng.choice([0, 1, 1, 2])) if entities]
    return [entities, relations]


def random_prediction(rng, n, gold, unknown):
    """Gold with changed, dropped, repeated and spurious items. Relations of dropped entities are dropped."""
    entities, places = [], {}
    for i, e in enumerate(gold[0]):
        move = rng.random()
        if move < 0.15:
            continue
        if move < 0.25:
            e = [rng.randrange(DECLARED_ENTITIES)] + e[1:]
        elif move < 0.35:
            e = random_entity(rng, n, unknown)
        places[i] = len(entities)
        entities += [e] * rng.choice([1] * 9 + [2])
    for _ in range(rng.choice([0, 0, 0, 1]) if n else 0):
        entities.append(random_entity(rng, n, unknown))
    relations = []
    for label, head, tail in gold[1]:
        move = rng.random()
        if head in places and tail in places and move > 0.1:
            head, tail = places[head], places[tail]
            if move < 0.2:
                head, tail = tail, head
            elif move < 0.3:
                label = rng.randrange(DECLARED_RELATIONS)
            relations += [[label, head, tail]] * rng.choice([1] * 9 + [2])
    if entities and rng.random() < 0.25:
        relations.append(random_relation(rng, len(entities), unknown))
    return [entities, relations]


def random_tags(rng, n, gold, unknown):
    """Gold tags with noise, and pairs of arbitrary tokens, inside or outside entities."""
    tags = [0] * n
    for kind, start, end in gold[0]:
        tags[start:end] = [2 * kind + 1] + [2 * kind + 2] * (end - start - 1)
    kinds = len(ENTITIES) if rng.random() < unknown else DECLARED_ENTITIES
    tags = [rng.randrange(2 * kinds + 1) if rng.random() < 0.15 else tag for tag in tags]
    token = lambda e: e[2] - 1 if rng.random() < 0.6 else rng.randrange(e[1], e[2])
    pairs = [[token(gold[0][h]), k, token(gold[0][t])] for k, h, t in gold[1] for _ in range(rng.choice([0, 1, 1, 2]))]
    if n and rng.random() < 0.3:
        pairs.append([rng.randrange(n), rng.randrange(DECLARED_RELATIONS), rng.randrange(n)])
    return {"t": tags, "p": pairs}


def random_corpus(rng, size):
    unknown = rng.choice([0.0, 0.3])
    corpus = []
    for _ in range(size):
        n = rng.choice([0, 1] + list(range(2, 10)) * 2)
        gold = random_gold(rng, n, unknown)
        predict = random_tags if rng.random() < 0.4 else random_prediction
        corpus.append([n, *gold, predict(rng, n, gold, unknown)])
    return corpus


def read(corpus):
    return [(Annotation(n, [entities, relations]), Annotation(n, raw)) for n, entities, relations, raw in corpus]


def main():
    rng, left = random.Random(20200707), 10_000
    round_off = lambda line: json.loads(line, parse_float=lambda x: float(f"{float(x):.15g}"))
    dump = lambda value: json.dumps(round_off(json.dumps(value)), separators=(",", ":"), sort_keys=True)
    with open("cases.jsonl", "w") as out:
        while left:
            size = min(left, rng.choice([1, 1, 2, 5, 20, 100, 200, 300]))
            left -= size
            corpus = random_corpus(rng, size)
            out.write(dump({"s": corpus, "e": all_scores(read(corpus))}) + "\n")

    corpus = random_corpus(rng, 60)
    sentences = read(corpus)
    settings = {"resamples": 999, "confidence": 0.9, "seed": 7}
    expected = {}
    for task, items in (("entities", lambda a: set(a.entities)), ("relations", lambda a: set(a.relations))):
        counts = []
        for i, (gold, a) in enumerate(sentences):
            b = gold if i % 4 == 0 else a  # the second system is correct on every fourth sentence
            pairs = [(items(gold), items(system)) for system in (a, b)]
            counts.append([(len(g & p), len(p - g), len(g - p)) for g, p in pairs])
        expected[task] = bootstrap(counts, **settings)
    with open("bootstrap.json", "w") as out:
        out.write(dump({"s": corpus, **settings, "e": expected}) + "\n")


if __name__ == "__main__":
    main()
