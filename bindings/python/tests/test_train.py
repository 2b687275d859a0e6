import signal
import threading

import pytest

import cman


def test_a_model_is_trained_and_read(tmp_path):
    epochs = []
    scores = cman.train(None, tmp_path / "model", sample=True, epochs=2, seed=3, on_epoch=epochs.append)
    assert [epoch["epoch"] for epoch in epochs] == [1, 2] and epochs[0]["ner_loss"] > 0
    assert scores["epoch"] in (1, 2) and 0 <= scores["test"]["entities"]["strict"]["micro"]["f1"] <= 1
    extractor = cman.Extractor.load(tmp_path / "model")
    assert extractor.entity_types and extractor.extract("Maria Keller lives in Oslo.").sentences
    with pytest.raises(cman.CmanError, match="already contains a model: force=True overwrites it"):
        cman.train(None, tmp_path / "model", sample=True, epochs=1)
    cman.train(None, tmp_path / "model", sample=True, epochs=1, force=True)


def test_what_a_function_raises_ends_the_run_and_resume_continues_it(tmp_path):
    def fail(epoch):
        raise RuntimeError(f"after epoch {epoch['epoch']}")

    arguments = dict(sample=True, epochs=2, seed=3)
    with pytest.raises(RuntimeError, match="after epoch 1"):
        cman.train(None, tmp_path / "a", on_epoch=fail, **arguments)
    with pytest.raises(cman.CmanError, match="contains an interrupted run"):
        cman.train(None, tmp_path / "a", **arguments)
    resumed = cman.train(None, tmp_path / "a", resume=True, **arguments)
    assert resumed == cman.train(None, tmp_path / "b", **arguments)


def test_ctrl_c_ends_the_run(tmp_path):
    timer = threading.Timer(0.5, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        cman.train(None, tmp_path / "model", sample=True, epochs=10_000)


def test_arguments_that_do_not_fit(tmp_path):
    out = tmp_path / "model"
    with pytest.raises(cman.CmanError, match="expected a corpus, or corpus=None and sample=True"):
        cman.train(None, out)
    with pytest.raises(cman.CmanError, match="expected one of them"):
        cman.train(None, out, sample=True, resume=True, force=True)
    with pytest.raises(cman.CmanError, match="train.batch_size"):
        cman.train(None, out, sample=True, settings={"train.batch_size": 0})
    with pytest.raises(FileNotFoundError, match="none"):
        cman.train(tmp_path / "none", out)
    with pytest.raises(cman.CmanError, match="no checkpoint to resume"):
        cman.train(None, out, sample=True, resume=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(cman.CmanError, match="expected a directory, found a file"):
        cman.train(None, tmp_path / "file", sample=True)
