import json
import shutil
import weakref

import pytest

from pipeline.core.errors import InputError
from pipeline.serve.current import Current, load_checked
from pipeline.serve.questions import Asked, Classify, Embed, Item, Search, answer_together


def test_a_model_that_was_read_needs_its_files_no_more(project, settings, picture):
    data = project.root / "data"
    loaded = load_checked(data / "model", data / "index", settings, pytest.fail)
    assert loaded.digest == loaded.huse.description.digest
    assert loaded.items == len(loaded.huse.index)
    assert loaded.name == f"huse-{loaded.digest[:12]}"
    shutil.rmtree(data)
    for item in (Item(picture, "red heart"), Item(None, "xyzzyx"), Item(picture, None)):
        for question in (Search(3, where="text != ''"), Classify(settings), Embed()):
            (answer,) = answer_together([Asked(loaded.huse, question, [item])])
            assert isinstance(answer, list), answer


def test_what_does_not_belong_together_is_not_loaded(project, settings):
    data = project.root / "data"
    with pytest.raises(InputError, match="no index here"):
        load_checked(data / "model", data / "nowhere", settings, pytest.fail)
    described = json.loads((data / "index" / "index.json").read_text(encoding="utf-8"))
    (data / "index" / "index.json").write_text(json.dumps({**described, "model": "other"}))
    with pytest.raises(InputError, match="made by another model"):
        load_checked(data / "model", data / "index", settings, pytest.fail)


def test_a_network_that_cannot_be_run_is_found_before_it_is_asked(project, settings):
    data = project.root / "data"
    (network,) = (data / "model" / "image_encoder").glob("*.onnx")
    network.write_bytes(b"damaged")
    with pytest.raises(InputError):
        load_checked(data / "model", data / "index", settings, pytest.fail)


def test_another_model_takes_the_place_and_a_failed_one_does_not():
    models = iter(["first", "second", InputError("missing"), KeyError("half\nwritten"), "third"])

    def load():
        model = next(models)
        if isinstance(model, Exception):
            raise model
        return model

    current = Current(load)
    assert current.reload() == "second"
    with pytest.raises(InputError, match="missing"):
        current.reload()
    with pytest.raises(InputError, match=r"KeyError: 'half\\nwritten'"):
        current.reload()
    assert current.loaded == "second"
    assert current.reload() == "third"


def test_a_model_whose_place_was_taken_is_gone(project, settings, picture):
    data = project.root / "data"
    current = Current(lambda: load_checked(data / "model", data / "index", settings, pytest.fail))
    old = weakref.ref(current.loaded.huse)
    questions = (Search(3), Search(1, within="no such class"), Classify(settings), Embed())
    answers = answer_together(
        [Asked(old(), question, [Item(picture, "red heart")]) for question in questions]
    )
    assert isinstance(answers[1], InputError)
    current.reload()
    assert old() is None
