#!/usr/bin/env python3
"""Writes the files of this folder: the forms in which pyarrow and Hugging Face's datasets write annotated sentences.

usage: make.py    (needs pyarrow)
"""

import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
TOKENS = [["Zoë", "left", "東京", "."], ["No", "."]]
ENTITIES = [[{"type": "Peop", "start": 0, "end": 1}, {"type": "Loc", "start": 2, "end": 3}], []]
RELATIONS = [[{"type": "Live_In", "head": 0, "tail": 1}], []]
IDS = [7, 8]
TYPES, KINDS = ["Peop", "Loc"], ["Live_In"]


def objects(kind, *indices):
    return pa.struct([("type", kind), *((name, pa.int64()) for name in indices)])


def table(entities=ENTITIES, relations=RELATIONS, kind=pa.string(), tokens=TOKENS):
    schema = pa.schema([
        ("tokens", pa.list_(pa.string())),
        ("entities", pa.list_(objects(kind, "start", "end"))),
        ("relations", pa.list_(objects(kind, "head", "tail"))),
        ("orig_id", pa.int32()),
    ])
    return pa.table({"tokens": tokens, "entities": entities, "relations": relations, "orig_id": IDS}, schema=schema)


def numbered(rows, names):
    return [[{**one, "type": names.index(one["type"])} for one in row] for row in rows]


def columns(rows, keys):
    return [{key: [one[key] for one in row] for key in keys} for row in rows]


def write(name, of, **options):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    pq.write_table(of, path, **options)


write("lists.parquet", table(), compression="snappy")
write("gzip_row_groups.parquet", table(), compression="gzip", row_group_size=1, use_dictionary=False)
for part in ("train", "validation"):
    write(f"folder/{part}-00000-of-00001.parquet", table(), compression="zstd")

write("lists_of_columns.parquet", pa.table({
    "tokens": TOKENS,
    "entities": columns(ENTITIES, ["type", "start", "end"]),
    "relations": columns(RELATIONS, ["type", "head", "tail"]),
    "orig_id": IDS,
}))

numbers = table(numbered(ENTITIES, TYPES), numbered(RELATIONS, KINDS), pa.int64())
write("numbers.parquet", numbers)


def features(name, labels, *indices):
    value = {"dtype": "int64", "_type": "Value"}
    return [{"type": {"names": labels, "_type": "ClassLabel"}, **{index: value for index in indices}}]


described = {"info": {"features": {
    "entities": features("entities", TYPES, "start", "end"),
    "relations": features("relations", KINDS, "head", "tail"),
}}}
metadata = {"huggingface": json.dumps(described)}
write("class_labels.parquet", numbers.replace_schema_metadata(metadata))
wrong = [[{"type": 5, "start": 0, "end": 1}], []]
write("wrong_label.parquet", table(wrong, numbered(RELATIONS, KINDS), pa.int64()).replace_schema_metadata(metadata))
write("null_tokens.parquet", table(tokens=[TOKENS[0], None]))
write("texts.parquet", pa.table({"id": ["a", "b"], "text": ["Zoë left. She ran.", "No."]}))
