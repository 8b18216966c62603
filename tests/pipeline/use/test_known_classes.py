from dataclasses import replace

import numpy as np
import pytest

from huse import Huse
from pipeline.core.errors import InputError
from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import make_classes
from pipeline.model.new_class import Place
from pipeline.model.new_class_file import FILE
from pipeline.use.added_classes import add_class, remove_class
from pipeline.use.added_file import AddedClass, added_path, write_added
from pipeline.use.known_classes import KnownClasses, usable_classes, with_added

PATH = "Animals & Nature<red heart"


def added(path, likely=None):
    point_D = np.ones(2, np.float32)
    return AddedClass(
        path,
        Place(point_D, point_D, 0, 0),
        np.zeros((0, 3), np.float32),
        [],
        "a",
        "huse",
        likely or {},
    )


@pytest.mark.parametrize("label", ["path", "leaf", "parts"])
def test_added_classes_come_last_in_the_tree(label):
    classes = make_classes(["bags", "shoes<boots"], separator="<", label=label)
    before = ClassTree(classes)
    tree = ClassTree(with_added(classes, [added("shoes<barefoot<light")]))
    assert tree.path_J == [*before.path_J, "shoes<barefoot", "shoes<barefoot<light"]
    assert tree.path_J[tree.class_node_K[-1]] == "shoes<barefoot<light"


def test_it_is_classified_after_the_model_is_loaded_again(model, folder, items):
    v = model.embed(None, items["text"].head(20).tolist())
    before = model.classify(v)
    add_class(model, PATH, [], "again")
    assert model.classify(v) == before
    again = Huse.load(folder)
    # A name was trained to be its class's, so a text that is the name is the new class's.
    (one,) = again.classify(again.embed(None, ["red heart"]), precision=0.3, confidence=0.5)
    assert PATH in [guess.path for guess in one.top]
    found = again.classify(v, k=len(again.class_tree.class_node_K))
    for one, other in zip(found, before, strict=True):
        probability = {guess.path: guess.probability for guess in one.top}
        assert sum(probability.values()) == pytest.approx(1, abs=1e-4)
        rest = 1 - probability[PATH]
        for guess in other.top:
            assert probability[guess.path] == pytest.approx(guess.probability * rest, abs=1e-5)
    remove_class(folder, PATH)
    assert Huse.load(folder).classify(v) == before


def test_classes_of_another_model_are_told_and_left_out(model, folder):
    add_class(model, PATH, [], "huse add-class one")
    add_class(model, "blue heart", [], "huse add-class other")
    told = []
    assert usable_classes(folder, "b" * 64, told.append) == []
    assert len(told) == 1
    assert "2 classes were added to another model" in told[0]
    assert told[0].endswith("add again: huse add-class one; huse add-class other")
    told.clear()
    assert len(usable_classes(folder, model.description.digest, told.append)) == 2
    assert told == []


def test_where_no_class_was_added_nothing_is_embedded(finished_project):
    model = Huse.load(finished_project.root / "data" / "model", warn=pytest.fail)
    probability_NK = np.ones((2, 3), np.float32) / 3
    assert model.known.share(probability_NK, pytest.fail) is probability_NK
    assert model.known.trained_tree is model.class_tree


def test_a_model_of_an_earlier_version_classifies_but_takes_no_class(model, folder):
    (folder / FILE).unlink()
    assert model.classify(model.embed(None, ["red heart"]))
    known = KnownClasses(folder, model.description, pytest.fail)
    with pytest.raises(InputError, match="no class can be added; train again"):
        _ = known.rule


def test_an_item_is_probably_of_the_most_probable_added_class(model, folder):
    mine = [added("a", {"x": 1.0, "y": 3.0}), added("b", {"x": 2.0, "z": -1.0}), added("c")]
    own = [replace(one, digest=model.description.digest) for one in mine]
    write_added(added_path(folder), [*own, added("of another model", {"y": 9.0})])
    known = KnownClasses(folder, model.description, lambda line: None)
    assert known.likely == {"a": ["y"], "b": ["x", "z"], "c": []}
