import gc
import json
import multiprocessing
import os
import pickle
import resource
import subprocess
import threading
from pathlib import Path

import pyarrow as pa
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
    assert strict.options["entity_threshold"] == 1.0 and extractor.options["entity_threshold"] == 0.0
    assert cman.Extractor.load(relations=False).extract(TEXT).relations == ()
    assert extractor.with_options(signatures="trained").extract(TEXT).relations
    only = {"only": [{"head": "Loc", "type": "Located_In", "tail": "Loc"}]}
    assert extractor.with_options(signatures=only).extract(TEXT).relations == ()
    assert "n_best" in extractor.with_options(n_best=2).extract(TEXT).to_dict()["sentences"][0]
    assert extractor.with_options(max_tokens=4).extract(TEXT).sentences[0].windows > 1
    assert "Peop" in extractor.entity_types and "Live_In" in extractor.relation_types
    assert (extractor.path, extractor.device) == (None, "flex")
    assert cman.Extractor.load(threads=1).extract(TEXT) == extractor.extract(TEXT)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"entity_threshold": 2}, "entity_threshold: expected a number from 0 to 1, found 2"),
        ({"entity_threshold": "high"}, "entity_threshold: invalid type"),
        ({"entity_threshold": float("nan")}, "expected finite numbers"),
        ({"n_best": 65}, "n_best: expected at most 64, found 65"),
        ({"max_tokens": 0}, "max_tokens: expected at least 1, found 0"),
        ({"signatures": "some"}, "signatures: unknown variant `some`"),
        ({"threshold": 1}, "unknown field `threshold`"),
    ],
)
def test_options_out_of_range_are_named(extractor, options, message):
    with pytest.raises(cman.CmanError, match=message):
        extractor.with_options(**options)
    with pytest.raises(cman.CmanError, match=message):
        cman.Extractor.load(**options)


def test_errors_of_loading(tmp_path):
    with pytest.raises(FileNotFoundError, match="none: no such model directory or package"):
        cman.Extractor.load(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="model.json"):
        cman.Extractor.load(str(tmp_path))
    (tmp_path / "model.cman").write_bytes(b"not a model")
    with pytest.raises(cman.CmanError, match="model.cman"):
        cman.Extractor.load(tmp_path / "model.cman")
    with pytest.raises(cman.CmanError, match="device 'gpu': expected one of flex"):
        cman.Extractor.load(device="gpu")
    with pytest.raises(cman.CmanError, match="device 'cuda' is not compiled in"):
        cman.Extractor.load(device="cuda")
    with pytest.raises(cman.CmanError, match="threads: expected at least 1, found 0"):
        cman.Extractor.load(threads=0)
    with pytest.raises(TypeError):
        cman.Extractor()
    assert issubclass(cman.CmanError, ValueError)


def test_texts_that_are_no_text(extractor):
    with pytest.raises(TypeError, match=r"found bytes; decode it first"):
        extractor.extract(b"text")
    with pytest.raises(TypeError, match=r"text 1: expected a string, found bytes; decode it first"):
        extractor.extract(["a", b"text"])
    with pytest.raises(TypeError, match="expected a string or an iterable of strings, found int"):
        extractor.extract(7)
    with pytest.raises(TypeError, match="text 1: expected a string, found NoneType"):
        extractor.extract(["a", None])
    with pytest.raises(TypeError, match="text 0: expected a list of tokens, found str"):
        extractor.extract_tokens(["Ann left."])
    with pytest.raises(cman.CmanError, match="^'utf-8' codec can't encode .* surrogates not allowed"):
        extractor.extract("\ud800")
    with pytest.raises(cman.CmanError, match="^text 2: .* surrogates not allowed"):
        extractor.extract(["a", "b", "\udfff"])
    with pytest.raises(cman.CmanError, match="^token of 300 characters exceeds the maximum of 256"):
        extractor.extract("w" * 300)
    with pytest.raises(cman.CmanError, match="^text 300: token of 300 characters"):
        extractor.extract(["Ann left."] * 300 + ["w" * 300])
    with pytest.raises(cman.CmanError, match="^text 0: "):
        extractor.extract_tokens([[]])


def test_a_copy_for_another_process_has_path_and_options(extractor, tmp_path, monkeypatch):
    copy = pickle.loads(pickle.dumps(extractor.with_options(relations=False)))
    assert copy.extract(TEXT).relations == () and copy.extract(TEXT).entities
    package = ROOT / "crates/cman-demo/demo.cman"
    (tmp_path / "model.cman").write_bytes(package.read_bytes())
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps(cman.Extractor.load("model.cman", threads=2, n_best=1))
    assert len(pickled) < 1000
    monkeypatch.chdir("/")
    copy = pickle.loads(pickled)
    assert copy.path == tmp_path / "model.cman" and copy.options["n_best"] == 1
    assert copy.extract(TEXT).entities == extractor.extract(TEXT).entities


def test_documents_are_values(extractor):
    document = extractor.with_options(n_best=2).extract(TEXT)
    copy = pickle.loads(pickle.dumps(document))
    assert copy == document and copy.to_dict() == document.to_dict() and hash(copy) == hash(document)
    assert len({*document.entities, *copy.entities}) == len(document.entities)
    assert len({*document.relations, *copy.relations}) == len(document.relations)
    with pytest.raises(AttributeError):
        document.text = "other"
    with pytest.raises(AttributeError):
        document.entities[0].type = "other"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_forked_processes_have_their_own_threads(extractor):
    expected = extractor.extract([TEXT] * 20)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map_async(extractor.extract, [[TEXT] * 20] * 4).get(timeout=60)
    assert found == [expected] * 4


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
    """CMAN_CALLS is the number of calls."""
    calls = int(os.environ.get("CMAN_CALLS", "5000"))
    table = pa.table({"text": ["Ann left Oslo."]})

    def call(times):
        for i in range(times):
            extractor.extract("Ann left Oslo.").entities
            if i % 10 == 0:
                pickle.loads(pickle.dumps(extractor.extract("Ann left Oslo.")))
                pa.table(extractor.extract_arrow(table))
                with pytest.raises(cman.CmanError):
                    extractor.extract("\ud800")
        gc.collect()

    call(1000)
    before = resident()
    call(calls)
    growth = resident() - before
    print(f"{calls} calls: {growth / 2**20:.1f} MiB more")
    assert growth < 8 << 20


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
        assert {key: row[key] for key in row if key not in ("id", "file", "record", "line")} == document.to_dict()
