import pytest

from pipeline.train.fingerprint import fingerprint


@pytest.fixture
def inputs(tmp_path):
    """A file, and a folder with two."""
    (tmp_path / "graph").mkdir()
    for name in ("table", "graph/a", "graph/b"):
        (tmp_path / name).write_text(name, encoding="ascii")
    return [tmp_path / "table", tmp_path / "graph"]


def test_the_same_run_has_the_same_fingerprint(inputs):
    assert fingerprint({"lr": 0.1, "steps": 2}, inputs) == fingerprint(
        {"steps": 2, "lr": 0.1}, inputs
    )


def test_a_setting_changes_it(inputs):
    assert fingerprint({"lr": 0.1}, inputs) != fingerprint({"lr": 0.2}, inputs)


@pytest.mark.parametrize("name", ["table", "graph/a", "graph/b"])
def test_an_input_changes_it(inputs, tmp_path, name):
    before = fingerprint({}, inputs)
    (tmp_path / name).write_text("other", encoding="ascii")
    assert fingerprint({}, inputs) != before
