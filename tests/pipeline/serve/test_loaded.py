import json
import shutil

import pytest

from pipeline.core.errors import InputError
from pipeline.serve.loaded import load_checked
from pipeline.serve.questions import Asked, Classify, Embed, Item, Search, answer_together
from pipeline.use.current import Stored


@pytest.fixture
def stored(project):
    """The model of a project of the test's own."""
    return Stored(project.root / "data" / "model", project.root / "data" / "index")


def test_a_model_that_was_read_needs_its_files_no_more(project, stored, settings, picture):
    loaded = load_checked(stored, pytest.fail)
    assert loaded.digest == loaded.huse.description.digest
    assert loaded.items == len(loaded.huse.index)
    assert loaded.name == f"huse-{loaded.digest[:12]}"
    shutil.rmtree(project.root / "data")
    for item in (Item(picture, "red heart"), Item(None, "xyzzyx"), Item(picture, None)):
        for question in (Search(3, where="text != ''"), Classify(settings), Embed()):
            (answer,) = answer_together([Asked(loaded.huse, question, [item])])
            assert isinstance(answer, list), answer


def test_what_does_not_belong_together_is_not_loaded(stored):
    with pytest.raises(InputError, match="no index here"):
        load_checked(Stored(stored.model, stored.index.with_name("nowhere")), pytest.fail)
    path = stored.index / "index.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**described, "model": "other"}))
    with pytest.raises(InputError, match="made by another model"):
        load_checked(stored, pytest.fail)


def test_a_network_that_cannot_be_run_is_found_before_it_is_asked(stored):
    (network,) = (stored.model / "image_encoder").glob("*.onnx")
    network.write_bytes(b"damaged")
    with pytest.raises(InputError):
        load_checked(stored, pytest.fail)


def test_what_classifies_is_read_too(stored):
    (stored.model / "validation.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="does not answer"):
        load_checked(stored, pytest.fail)
