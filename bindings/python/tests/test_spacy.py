import json
import os
import subprocess
from pathlib import Path

import pytest

spacy = pytest.importorskip("spacy")
SAMPLE = Path(__file__).parents[3] / "crates/cman-data/sample/test.json"


def test_entities_spans_and_relations():
    nlp = spacy.blank("en")
    nlp.add_pipe("cman", config={"options": {"entity_threshold": 0.1}})
    doc = nlp("Maria Keller lives in Oslo.")
    assert [(entity.text, entity.label_) for entity in doc.ents] == [("Maria Keller", "Peop"), ("Oslo", "Loc")]
    assert [span.text for span in doc.spans["cman"]] == ["Maria Keller", "Oslo"]
    head, tail = doc.ents
    assert doc._.rel[(head.start, tail.start)]["Live_In"] > 0.5
    docs = list(nlp.pipe(["It rained.", "Peter Lang was born in Vienna."] * 300))
    assert len(docs) == 600 and docs[0].ents == () and docs[599].ents[0].text == "Peter Lang"


def facts(sentence):
    entities = [(one["type"], one["start"], one["end"]) for one in sentence["entities"]]
    relations = {(one["type"], entities[one["head"]], entities[one["tail"]]) for one in sentence["relations"]}
    return set(entities), relations


def f1(gold, found):
    right = sum(len(a & b) for a, b in zip(gold, found))
    return 200 * right / (sum(map(len, gold)) + sum(map(len, found)))


@pytest.mark.skipif("CMAN_CLI" not in os.environ, reason="CMAN_CLI names the program cman")
def test_f1_on_the_sample_is_that_of_the_command_line():
    nlp = spacy.blank("en")
    nlp.add_pipe("cman", config={"tokens": True})
    sentences = json.loads(SAMPLE.read_text())
    docs = [spacy.tokens.Doc(nlp.vocab, words=sentence["tokens"]) for sentence in sentences]
    gold, found = [facts(sentence) for sentence in sentences], []
    for doc in nlp.pipe(docs):
        spans = {span.start: (span.label_, span.start, span.end) for span in doc.spans["cman"]}
        relations = {(kind, spans[h], spans[t]) for (h, t), kinds in doc._.rel.items() for kind in kinds}
        found.append((set(spans.values()), relations))
    command = [os.environ["CMAN_CLI"], "evaluate", "--data", SAMPLE, "--json", "-"]
    scores = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    for part, task in enumerate(("entities", "relations")):
        expected = 100 * scores[task]["strict"]["micro"]["f1"]
        assert f1([one[part] for one in gold], [one[part] for one in found]) == pytest.approx(expected, abs=1e-6)
