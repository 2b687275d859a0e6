"""A second implementation of the scorers, from their published definitions.

It shares neither code nor counting methods with the Rust implementation. `generate.py` stores its scores for random
sentences. It only needs the standard library. A prediction is [entities, relations], or the output of a tagger with
token-level relations: {"t": tags, "p": [[token, label, token], ...]} with tags O = 0, B-t = 2t + 1, I-t = 2t + 2.
"""

from collections import Counter

ENTITIES, DECLARED_ENTITIES = ["Loc", "Peop", "Other", "Undeclared"], 3
RELATIONS, DECLARED_RELATIONS = ["Kill", "Live_In", "Met"], 2


# ---- precision, recall, F1


def prf(tp, fp, fn):
    if tp == 0:
        return [0.0, 0.0, 0.0]
    p, r = tp / (tp + fp), tp / (tp + fn)
    return [p, r, 2 * p * r / (p + r)]


def section(types, averaged=None, micro=None):
    """The section for counts {type: [tp, fp, fn]}; the default of micro is their sum."""
    micro = micro or [sum(column) for column in zip(*types.values())] or [0, 0, 0]
    out = {"t": types, "m": micro + prf(*micro)}
    if averaged is not None:
        rows = [prf(*types.get(name, [0, 0, 0])) for name in averaged]
        out["M"] = [sum(column) / len(rows) for column in zip(*rows)] if rows else [0.0, 0.0, 0.0]
    return out


def by_type(gold, predicted, label, names=None):
    """Counts by set algebra, per type; gold and predicted hold one set per sentence."""
    if names is None:
        names = sorted({label(item) for side in (gold, predicted) for items in side for item in items})
    types = {}
    for name in names:
        counts = [0, 0, 0]
        for g, p in zip(gold, predicted):
            g, p = ({item for item in side if label(item) == name} for side in (g, p))
            counts = [a + b for a, b in zip(counts, (len(g & p), len(p - g), len(g - p)))]
        types[name] = counts
    return types


# ---- BIO tags, as strings; (type, first token, last token) is a chunk


def get_chunks(tags):
    chunks, current = [], None
    for i, tag in enumerate(tags + ["O"]):
        prefix, _, kind = tag.partition("-")
        if current and (tag == "O" or prefix == "B" or kind != current[0]):
            chunks.append((current[0], current[1], i - 1))
            current = None
        if current is None and tag != "O":
            current = (kind, i)
    return chunks


def to_tags(n, entities):
    """Longer entities first, then earlier ones, then by the order of types; overlapping ones are dropped."""
    tags = ["O"] * n
    for kind, start, end in sorted(entities, key=lambda e: (e[1] - e[2], e[1], ENTITIES.index(e[0]))):
        if all(tag == "O" for tag in tags[start:end]):
            tags[start:end] = ["B-" + kind] + ["I-" + kind] * (end - start - 1)
    return tags


def chunk_of(token, chunks):
    return next((c for c in chunks if c[1] <= token <= c[2]), None)


def map_pairs(pairs, chunks):
    mapped = {(chunk_of(i, chunks), label, chunk_of(j, chunks)) for i, label, j in pairs}
    return {pair for pair in mapped if pair[0] and pair[2]}


# ---- one sentence


class Annotation:
    def __init__(self, n, raw):
        self.n = n
        if isinstance(raw, dict):
            names = ["O"] + [prefix + kind for kind in ENTITIES for prefix in ("B-", "I-")]
            chunks = get_chunks([names[tag] for tag in raw["t"]])
            pairs = map_pairs([(i, RELATIONS[label], j) for i, label, j in raw["p"]], chunks)
            ent = lambda c: (c[0], c[1], c[2] + 1)
            self.entities = [ent(c) for c in chunks]
            self.relations = [(label, ent(head), ent(tail)) for head, label, tail in pairs]
        else:
            self.entities = [(ENTITIES[kind], start, end) for kind, start, end in raw[0]]
            self.relations = [(RELATIONS[k], self.entities[h], self.entities[t]) for k, h, t in raw[1]]

    def pairs(self):
        return [(head[2] - 1, label, tail[2] - 1) for label, head, tail in self.relations]


# ---- SpERT: labels of the union of gold and predicted items, scored as a classification


def spert(gold, predicted):
    truth, guess = [], []
    for g, p in zip(gold, predicted):
        for item in sorted(set(g) | set(p)):
            truth.append(item[0] if item in g else None)
            guess.append(item[0] if item in p else None)
    occurring = sorted({name for name in truth + guess if name is not None})
    types = {}
    for name in occurring:
        right = sum(t == g == name for t, g in zip(truth, guess))
        types[name] = [right, guess.count(name) - right, truth.count(name) - right]
    return section(types, occurring)


# ---- multi-head: strict and boundaries from tags, relaxed from gold chunks and token classes


def multihead(sentences):
    spans, pairs = {"g": [], "p": [], "c": []}, {"g": [], "p": [], "c": []}
    for gold, predicted in sentences:
        true = get_chunks(to_tags(gold.n, gold.entities))
        everything = {(kind, start, end - 1) for kind, start, end in gold.entities}
        lost = everything - set(true)
        true_pairs = {((h[0], h[1], h[2] - 1), label, (t[0], t[1], t[2] - 1)) for label, h, t in gold.relations}
        if not lost:
            assert true_pairs == map_pairs(gold.pairs(), true)
        tags = to_tags(predicted.n, predicted.entities)
        found = get_chunks(tags)
        found_pairs = map_pairs(predicted.pairs(), found)
        classes = [tag.split("-")[-1] for tag in tags]
        given = []
        for kind, first, last in true:
            inside = classes[first : last + 1]
            given.append((kind if kind in inside else Counter(inside).most_common(1)[0][0], first, last))
        ends = [(head[2], label, tail[2]) for head, label, tail in found_pairs]
        for key, chunks, related in (
            ("g", everything, true_pairs),
            ("p", set(found), found_pairs),
            ("c", set(given), map_pairs(ends, given)),
        ):
            spans[key].append(chunks)
            pairs[key].append(related)
    kind, label = (lambda chunk: chunk[0]), (lambda pair: pair[1])
    bare = lambda sets: [{(None,) + chunk[1:] for chunk in chunks} for chunks in sets]
    bare_pairs = lambda sets: [{(h[1:], name, t[1:]) for h, name, t in related} for related in sets]
    no_other = [name for name in ENTITIES[:DECLARED_ENTITIES] if name != "Other"]
    total = by_type(bare(spans["g"]), bare(spans["p"]), kind, [None])[None]
    return {
        "entities": {
            "strict": section(by_type(spans["g"], spans["p"], kind)),
            "boundaries": {"m": total + prf(*total)},
            "relaxed": section(by_type(spans["g"], spans["c"], kind), no_other),
        },
        "relations": {
            "strict": section(by_type(pairs["g"], pairs["p"], label)),
            "boundaries": section(by_type(bare_pairs(pairs["g"]), bare_pairs(pairs["p"]), label)),
            "relaxed": section(by_type(pairs["g"], pairs["c"], label), RELATIONS[:DECLARED_RELATIONS]),
        },
    }


# ---- all scorers


def entity_bounds(gold, predicted, names):
    """Our rule: a gold span counts for its type, a spurious one for the predicted type; micro counts a span once."""
    types, micro = {}, [0, 0, 0]
    for g, p in zip(gold, predicted):
        g_bounds, p_bounds = {e[1:] for e in g}, {e[1:] for e in p}
        micro[0] += len(g_bounds & p_bounds)
        micro[1] += len(p_bounds - g_bounds)
        micro[2] += len(g_bounds - p_bounds)
        for e in g:
            types.setdefault(e[0], [0, 0, 0])[0 if e[1:] in p_bounds else 2] += 1
        for e in p:
            if e[1:] not in g_bounds:
                types.setdefault(e[0], [0, 0, 0])[1] += 1
    return section(types, names, micro)


def all_scores(sentences):
    gold, predicted = ([set(pair[i].entities) for pair in sentences] for i in (0, 1))
    gold_r, predicted_r = ([set(pair[i].relations) for pair in sentences] for i in (0, 1))
    bare = lambda sets: [{(label, h[1:], t[1:]) for label, h, t in relations} for relations in sets]
    first = lambda item: item[0]
    kinds, labels = ENTITIES[:DECLARED_ENTITIES], RELATIONS[:DECLARED_RELATIONS]
    return {
        "cman": {
            "entities": {
                "strict": section(by_type(gold, predicted, first), kinds),
                "boundaries": entity_bounds(gold, predicted, kinds),
            },
            "relations": {
                "strict": section(by_type(gold_r, predicted_r, first), labels),
                "boundaries": section(by_type(bare(gold_r), bare(predicted_r), first), labels),
            },
        },
        "multihead": multihead(sentences),
        "spert": {
            "entities": {"strict": spert(gold, predicted)},
            "relations": {"strict": spert(gold_r, predicted_r), "boundaries": spert(bare(gold_r), bare(predicted_r))},
        },
        "sincere": {
            "entities": {"strict": section(by_type(gold, predicted, first, kinds), kinds)},
            "relations": {
                "strict": section(by_type(gold_r, predicted_r, first, labels), labels),
                "boundaries": section(by_type(bare(gold_r), bare(predicted_r), first, labels), labels),
            },
        },
    }


# ---- paired bootstrap


def splitmix64(state):
    mask = (1 << 64) - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield z ^ (z >> 31)


def bootstrap(counts, resamples, confidence, seed):
    """counts: per sentence, (tp, fp, fn) of the first and of the second system."""
    numbers = splitmix64(seed)

    def f1s(drawn):
        out = []
        for system in (0, 1):
            tp, fp, fn = (sum(counts[i][system][k] for i in drawn) for k in (0, 1, 2))
            out.append(2 * tp / (2 * tp + fp + fn) if tp else 0.0)
        return out + [out[1] - out[0]]

    def quantile(values, fraction):
        place = fraction * (len(values) - 1)
        low = int(place)
        return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (place - low)

    observed = f1s(range(len(counts)))
    drawn = [f1s([(next(numbers) * len(counts)) >> 64 for _ in counts]) for _ in range(resamples)]
    intervals = []
    for estimate, values in zip(observed, zip(*drawn)):
        tail, values = (1 - confidence) / 2, sorted(values)
        intervals.append([estimate, quantile(values, tail), quantile(values, 1 - tail)])
    gap = observed[2]
    far = sum(abs(row[2] - gap) >= abs(gap) for row in drawn)
    return intervals + [(1 + far) / (1 + resamples)]
