import pyarrow as pa
import pytest

import cman

TEXTS = ["Maria Keller lives in Oslo.", None, "", "Peter Lang was born in Vienna.", "w" * 300]


@pytest.fixture(scope="module")
def extractor():
    return cman.Extractor.load()


def check(extractor, rows):
    assert len(rows) == len(TEXTS)
    for text, row in zip(TEXTS, rows):
        if text is None:
            assert row is None
        elif len(text) == 300:
            assert "300 characters" in row["error"] and row["entities"] == []
        else:
            expected = extractor.extract(text)
            assert row["error"] is None
            assert [(one["type"], one["text"]) for one in row["entities"]] == [(e.type, e.text) for e in expected.entities]
            assert [one["chars"]["start"] for one in row["entities"]] == [entity.start for entity in expected.entities]
            places = [(one["type"], one["head"], one["tail"]) for one in row["relations"]]
            index = {id(entity): i for i, entity in enumerate(expected.entities)}
            assert places == [(one.type, index[id(one.head)], index[id(one.tail)]) for one in expected.relations]


def test_tables_batches_and_streams(extractor):
    table = pa.table({"id": range(5), "text": TEXTS})
    found = pa.table(extractor.extract_arrow(table))
    assert found.column_names == ["id", "text", "found"]
    check(extractor, found["found"].to_pylist())
    batch = pa.record_batch(extractor.extract_arrow(table.to_batches()[0], output="x"))
    check(extractor, batch["x"].to_pylist())
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=2))
    check(extractor, pa.table(extractor.extract_arrow(reader))["found"].to_pylist())
    assert pa.table(extractor.extract_arrow(table.slice(0, 0))).num_rows == 0


def test_a_stream_is_read_while_the_result_is_read(extractor):
    taken = []

    def batches():
        for i in range(3):
            taken.append(i)
            yield pa.record_batch({"text": ["Ann left."]})

    schema = pa.schema({"text": pa.string()})
    result = pa.RecordBatchReader.from_stream(
        extractor.extract_arrow(pa.RecordBatchReader.from_batches(schema, batches()))
    )
    assert taken == []
    result.read_next_batch()
    assert taken == [0]


def test_lists_of_tokens(extractor):
    table = pa.table({"tokens": [["Maria", "Keller", "lives", "in", "Oslo", "."], None]})
    first, second = pa.table(extractor.extract_arrow(table, column="tokens"))["found"].to_pylist()
    assert [one["text"] for one in first["entities"]] == ["Maria Keller", "Oslo"] and second is None


def test_polars(extractor):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"text": TEXTS})
    check(extractor, polars.DataFrame(extractor.extract_arrow(frame))["found"].to_list())


def test_duckdb(extractor):
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("SELECT 'Maria Keller lives in Oslo.' AS text")
    [row] = pa.table(extractor.extract_arrow(relation))["found"].to_pylist()
    assert row["entities"][0]["text"] == "Maria Keller"


def test_columns_that_cannot_be_read_are_named(extractor):
    table = pa.table({"id": [1], "text": ["Ann"]})
    with pytest.raises(cman.CmanError, match="no column 'body'; the columns are id, text"):
        extractor.extract_arrow(table, column="body")
    with pytest.raises(cman.CmanError, match="found Int64"):
        extractor.extract_arrow(table, column="id")
    with pytest.raises(cman.CmanError, match="'id' exists already"):
        extractor.extract_arrow(table, output="id")
