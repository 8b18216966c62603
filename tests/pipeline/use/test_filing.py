import shutil

import numpy as np
import pytest

from huse import Huse
from pipeline.core.errors import InputError
from pipeline.decide.thresholds import fit_thresholds
from pipeline.model.validation_file import FILE, Said, Validation, write_validation
from pipeline.use import filing as module
from pipeline.use.filing import Filing


@pytest.fixture
def validation():
    generator = np.random.default_rng(0)
    certain = generator.random((400, 2), dtype=np.float32)
    said = {
        name: Said(certain, generator.random((400, 2)) < certain**power)
        for name, power in (("image", 0.5), ("text", 0.1), ("fused", 0.05))
    }
    return Validation(said, np.arange(400))


def test_every_modality_has_thresholds_of_its_own(validation, tmp_path):
    write_validation(tmp_path, validation, "d")
    told = []
    filing = Filing(tmp_path, "d", told.append)
    found = {name: filing.thresholds(name, 0.8, 0.9) for name in validation.said}
    for name, one in validation.said.items():
        assert found[name] == fit_thresholds(
            *one, validation.group_M, precision=0.8, confidence=0.9
        )
    assert found["image"] != found["text"]
    assert filing.thresholds("text", 0.9, 0.9) != found["text"]
    # A picture alone, a text alone, both.
    given = filing.of_items(np.array([1, 0, 1], bool), np.array([0, 1, 1], bool), 0.8, 0.9)
    assert given == [found["image"], found["text"], found["fused"]]
    assert filing.can_file(0.8, 0.9)
    assert not filing.can_file(0.999, 0.9)
    assert told == []


def test_shares_that_others_choose_do_not_fill_the_memory(validation, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_FITTED", 5)
    write_validation(tmp_path, validation, "d")
    filing = Filing(tmp_path, "d", pytest.fail)
    first = filing.thresholds("text", 0.8, 0.9)
    for number in range(20):
        filing.thresholds("text", 0.5 + number / 100, 0.9)
        assert len(filing._fitted) <= 5
    assert filing.thresholds("text", 0.8, 0.9) == first


def test_a_damaged_file_is_told(tmp_path):
    (tmp_path / FILE).write_bytes(b"x")
    with pytest.raises(InputError, match="damaged model"):
        Filing(tmp_path, "d", print).thresholds("image", 0.8, 0.9)


def test_a_model_without_validation_items_files_nothing_and_says_so(finished_project, tmp_path):
    shutil.copytree(finished_project.root / "data" / "model", tmp_path / "model")
    (tmp_path / "model" / FILE).unlink()
    told = []
    model = Huse.load(tmp_path / "model", warn=told.append)
    for _ in range(2):
        (one,) = model.classify(model.embed(None, ["red heart"]))
        assert one.state == "review"
    assert model.filing.can_file(0.95, 0.95), "the reason is another one"
    assert [line for line in told if "no item is filed; train again" in line] == told[-1:]
