#!/usr/bin/env python3
"""Build the sample corpus from its annotated source.

    python3 datasets/build_sample.py            write crates/cman-data/sample/{train,dev,test,types}.json
    python3 datasets/build_sample.py --check    exit with 1 if a written file differs from its source
    python3 datasets/build_sample.py --counts   print the table of counts that the README shows

The source, source.txt, holds one sentence a line, its tokens separated by single spaces:

    [Mrs. Hollis|Peop:a] moved to [Aberdeen|Loc:b] last year . {Live_In a b}

`[tokens|Type]` is an entity and `[tokens|Type:name]` one that a relation at the end of the line refers to;
`{Relation head tail}` is a directed relation. A line `== train ==` opens a split, `#` opens a comment line.
Standard library only; the output depends on nothing but the source.
"""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "crates/cman-data/sample"
SPLITS = ("train", "dev", "test")
ENTITIES = {
    "Loc": ("Loc", "Location"),
    "Org": ("Org", "Organization"),
    "Peop": ("Peop", "People"),
    "Other": ("Other", "Other"),
}
# Relation type: short name, name, type of the head, type of the tail.
RELATIONS = {
    "Work_For": ("Work", "Work for", "Peop", "Org"),
    "Kill": ("Kill", "Kill", "Peop", "Peop"),
    "OrgBased_In": ("OrgBI", "Organization based in", "Org", "Loc"),
    "Live_In": ("Live", "Live in", "Peop", "Loc"),
    "Located_In": ("LocIn", "Located in", "Loc", "Loc"),
}

ENTITY = re.compile(r"\[([^\[\]|]+)\|([^\[\]|:]+)(?::([a-z]))?\]")
RELATION = re.compile(r" \{(\w+) ([a-z]) ([a-z])\}$")
SECTION = re.compile(r"== (\w+) ==$")


class SourceError(Exception):
    """A line of the source that breaks a rule."""


def parse_sentence(line):
    """Read one line of markup as `tokens`, `entities` and `relations` in the form of SpERT's JSON."""
    written = []
    while match := RELATION.search(line):
        written.append(match.groups())
        line = line[: match.start()]
    written.reverse()

    tokens, entities, names = [], [], {}

    def add_tokens(text):
        words = text.split(" ")
        for word in words:
            if not word or re.search(r"[\s\[\]{}|]", word):
                raise SourceError(f"bad token {word!r}: tokens are separated by one space, entities do not nest")
        tokens.extend(words)

    at = 0
    for match in ENTITY.finditer(line):
        if gap := line[at : match.start()]:
            # What lies between two entities is " words "; at the start of the line there is no leading space.
            if not gap.endswith(" ") or (at and not gap.startswith(" ")):
                raise SourceError(f"no space around the entity {match.group(0)!r}")
            if gap := gap[1 if at else 0 : -1]:
                add_tokens(gap)
        elif at:
            raise SourceError(f"no space before the entity {match.group(0)!r}")
        text, kind, name = match.groups()
        if kind not in ENTITIES:
            raise SourceError(f"unknown entity type {kind!r}")
        start = len(tokens)
        add_tokens(text)
        if name in names:
            raise SourceError(f"two entities are named {name!r}")
        if name:
            names[name] = len(entities)
        entities.append({"type": kind, "start": start, "end": len(tokens)})
        at = match.end()
    if rest := line[at:]:
        if at and not rest.startswith(" "):
            raise SourceError("no space after the last entity")
        add_tokens(rest[1:] if at else rest)
    return tokens, entities, link(written, entities, names)


def link(written, entities, names):
    """Turn the relations as written, by names, into indices of entities, and check their arguments."""
    relations = []
    for kind, *arguments in written:
        if kind not in RELATIONS:
            raise SourceError(f"unknown relation type {kind!r}")
        for name, expected in zip(arguments, RELATIONS[kind][2:]):
            if name not in names:
                raise SourceError(f"{kind}: no entity is named {name!r}")
            found = entities[names[name]]["type"]
            if found != expected:
                raise SourceError(f"{kind}: {name!r} is {found}, expected {expected}")
        head, tail = (names[name] for name in arguments)
        if head == tail:
            raise SourceError(f"{kind}: both arguments are {arguments[0]!r}")
        if any((r["head"], r["tail"]) == (head, tail) for r in relations):
            raise SourceError(f"two relations from {arguments[0]!r} to {arguments[1]!r}")
        relations.append({"type": kind, "head": head, "tail": tail})
    if unused := set(names) - {name for _, *arguments in written for name in arguments}:
        raise SourceError(f"named, but in no relation: {', '.join(sorted(unused))}")
    return relations


def read_source(path):
    """Read the source as a dictionary from split to its list of sentences."""
    splits = {split: [] for split in SPLITS}
    seen, split = {}, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        try:
            if match := SECTION.match(line):
                split = match.group(1)
                if split not in splits:
                    raise SourceError(f"unknown split {split!r}")
                continue
            if split is None:
                raise SourceError("a sentence before the first split")
            tokens, entities, relations = parse_sentence(line)
            # A sentence is new if more than its names is new, so the key leaves the entities' tokens out.
            key = shape(tokens, entities)
            if key in seen:
                raise SourceError(f"the same sentence as line {seen[key]}, at most with other names")
            seen[key] = number
        except SourceError as error:
            raise SourceError(f"{path.name}, line {number}: {error}") from None
        splits[split].append(
            {
                "tokens": tokens,
                "entities": entities,
                "relations": relations,
                "orig_id": f"sample-{split}-{len(splits[split]) + 1:03}",
            }
        )
    return splits


def shape(tokens, entities):
    """The sentence in lower case with every entity replaced by its type."""
    words, at = [], 0
    for entity in entities:
        words += [word.lower() for word in tokens[at : entity["start"]]] + [entity["type"].upper()]
        at = entity["end"]
    return tuple(words + [word.lower() for word in tokens[at:]])


def render(splits):
    """The text of every file to write, by its name."""
    files = {}
    for split, sentences in splits.items():
        lines = ",\n".join(json.dumps(sentence, ensure_ascii=False) for sentence in sentences)
        files[f"{split}.json"] = f"[\n{lines}\n]\n"
    types = {
        "entities": {kind: {"short": short, "verbose": verbose} for kind, (short, verbose) in ENTITIES.items()},
        "relations": {
            kind: {"short": short, "verbose": verbose, "symmetric": False}
            for kind, (short, verbose, _, _) in RELATIONS.items()
        },
    }
    files["types.json"] = json.dumps(types, indent=2) + "\n"
    return files


def counts(splits):
    """A Markdown table of what the corpus holds."""
    rows = [("", *SPLITS, "all")]

    def row(name, count):
        values = [sum(map(count, splits[split])) for split in SPLITS]
        rows.append((name, *map(str, values), str(sum(values))))

    row("sentences", lambda s: 1)
    row("tokens", lambda s: len(s["tokens"]))
    row("sentences without a relation", lambda s: not s["relations"])
    row("sentences without an entity", lambda s: not s["entities"])
    row("entities", lambda s: len(s["entities"]))
    for kind in ENTITIES:
        row(f"`{kind}`", lambda s: Counter(e["type"] for e in s["entities"])[kind])
    row("relations", lambda s: len(s["relations"]))
    for kind in RELATIONS:
        row(f"`{kind}`", lambda s: Counter(r["type"] for r in s["relations"])[kind])
    rows.insert(1, ("---", *["---:"] * (len(SPLITS) + 1)))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare instead of writing")
    mode.add_argument("--counts", action="store_true", help="print the counts instead of writing")
    options = parser.parse_args()
    try:
        splits = read_source(SAMPLE / "source.txt")
    except SourceError as error:
        sys.exit(f"error: {error}")
    if options.counts:
        print(counts(splits))
        return
    stale = []
    for name, text in render(splits).items():
        path = SAMPLE / name
        if path.exists() and path.read_bytes() == text.encode():
            continue
        stale.append(name)
        if not options.check:
            path.write_bytes(text.encode())
    if options.check and stale:
        sys.exit(f"error: not up to date: {', '.join(stale)}; run {Path(__file__).name}")


if __name__ == "__main__":
    main()
