import gc
import json
import os
import pickle
import resource
import subprocess
import threading
from pathlib import Path

import pytest

import cman

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "crates/cman-data/sample"
TEXT = "Maria Keller lives in Oslo. Zoë 😀 works for Nordic Rail in Bergen."


@pytest.fixture(scope="module")
def extractor():
    return cman.Extractor.load()


def sample_texts(count):
    sentences = json.loads((SAMPLE / "train.json").read_text())
    texts = [" ".join(sentence["tokens"]) for sentence in sentences]
    return (texts * (count // len(texts) + 1))[:count]


def test_entities_and_relations_of_a_text(extractor):
    document = extractor.extract(TEXT)
    assert [entity.text for entity in document.entities][:2] == ["Maria Keller", "Oslo"]
    assert all(TEXT[entity.start : entity.end] == entity.text for entity in document.entities)
    assert {entity.sentence for entity in document.entities} == {0, 1}
    relation = document.relations[0]
    assert (relation.type, relation.head, relation.tail) == ("Live_In", document.entities[0], document.entities[1])
    assert 0.5 < relation.confidence <= 1
    assert [TEXT[one.start : one.end] for one in document.sentences] == TEXT.replace(". ", ".\n").split("\n")
    assert document.to_dict()["entities"][0]["chars"] == {"start": 0, "end": 12}
    assert document == extractor.extract(TEXT) != extractor.extract("It rained.")
    assert "2 sentences" in repr(document) and "Maria Keller" in repr(document.entities[0])


@pytest.mark.parametrize("text", ["", "   ", "e\u0301 Z\u0308urich", "👩‍👩‍👧 Ann lives in 東京.", "\u200fשלום Ann\tleft\r\nOslo"])
def test_offsets_count_code_points(extractor, text):
    for entity in extractor.extract(text).entities:
        assert text[entity.start : entity.end] == entity.text


def test_many_texts_equal_one_by_one(extractor):
    texts = [TEXT, "", "Peter Lang was born in Vienna."] * 100
    documents = extractor.extract(text for text in texts)
    assert len(documents) == 300
    for document, text in zip(documents, texts):
        alone = extractor.extract(text)
        assert (document.text, len(document.entities)) == (text, len(alone.entities))
    assert extractor.extract([]) == []


def test_tokens_are_read_as_they_are(extractor):
    [document] = extractor.extract_tokens([["Maria", "Keller", "lives", "in", "Oslo", "."]])
    assert document.text == "Maria Keller lives in Oslo ."
    assert [entity.text for entity in document.entities] == ["Maria Keller", "Oslo"]


def test_options(extractor):
    strict = extractor.with_options(entity_threshold=1.0)
    assert strict.extract(TEXT).entities == ()
    assert cman.Extractor.load(relations=False).extract(TEXT).relations == ()
    assert extractor.with_options(signatures="trained").extract(TEXT).relations
    assert "n_best" in extractor.with_options(n_best=2).extract(TEXT).to_dict()["sentences"][0]
    assert "Peop" in extractor.entity_types and "Live_In" in extractor.relation_types and extractor.path is None
    with pytest.raises(cman.CmanError, match="entity_threshold: expected a number from 0 to 1, found 2"):
        extractor.with_options(entity_threshold=2)
    with pytest.raises(cman.CmanError, match="unknown field `threshold`"):
        extractor.with_options(threshold=2)


def test_errors_are_exceptions(extractor, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such model directory"):
        cman.Extractor.load(tmp_path / "none")
    (tmp_path / "model.cman").write_bytes(b"not a model")
    with pytest.raises(cman.CmanError, match="model.cman"):
        cman.Extractor.load(tmp_path / "model.cman")
    with pytest.raises(TypeError, match="bytes|int"):
        extractor.extract(b"text")
    with pytest.raises(TypeError, match="found int"):
        extractor.extract(7)
    with pytest.raises(TypeError, match="found NoneType"):
        extractor.extract(["a", None])
    with pytest.raises(UnicodeEncodeError):
        extractor.extract("\ud800")
    with pytest.raises(cman.CmanError, match="text 1: .*300 characters"):
        extractor.extract(["Ann left.", "w" * 300])
    assert issubclass(cman.CmanError, ValueError)


def test_a_copy_for_another_process_has_the_options(extractor):
    copy = pickle.loads(pickle.dumps(extractor.with_options(relations=False)))
    assert copy.extract(TEXT).relations == () and copy.extract(TEXT).entities


def test_threads_run_side_by_side(extractor):
    """While a thread extracts, the others run: the interpreter's lock is free."""
    texts, ticks, done = sample_texts(400), [], threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(1)

    counter = threading.Thread(target=tick)
    counter.start()
    before = len(ticks)
    extractor.extract(texts)
    after = len(ticks)
    done.set()
    counter.join()
    assert after - before > 20

    expected = extractor.extract(texts[:50])
    found = {}
    threads = [threading.Thread(target=lambda i=i: found.update({i: extractor.extract(texts[:50])})) for i in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all(found[i] == expected for i in range(4))


def test_memory_does_not_grow(extractor):
    calls = int(os.environ.get("CMAN_CALLS", "5000"))
    for _ in range(500):
        extractor.extract("Ann left Oslo.")
    gc.collect()
    before = resident()
    for _ in range(calls):
        extractor.extract("Ann left Oslo.")
    gc.collect()
    assert resident() - before < 8 << 20


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif("CMAN_CLI" not in os.environ, reason="CMAN_CLI names the program cman")
def test_what_is_found_is_what_the_command_line_finds(extractor, tmp_path):
    texts = sample_texts(1000)
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(texts)))
    command = [os.environ["CMAN_CLI"], "extract", file, "--output", tmp_path / "out"]
    subprocess.run(command, check=True, capture_output=True)
    rows = [json.loads(line) for line in (tmp_path / "out/part-00000.jsonl").read_text().splitlines()]
    documents = extractor.extract(texts)
    assert len(rows) == len(documents) == 1000
    for row, document in zip(rows, documents):
        found = document.to_dict()
        assert all(row[key] == found[key] for key in ("sentences", "entities", "relations"))
