import numpy as np
import pandas as pd
import pytest

from huse import Huse
from pipeline.core.errors import InputError
from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import make_classes
from pipeline.model.new_class import Place, prototype
from pipeline.use.added_classes import (
    add_class,
    new_path,
    remove_class,
    unknown_parent,
    usable_classes,
    with_added,
)
from pipeline.use.added_file import AddedClass

PATH = "Animals & Nature<red heart"


@pytest.fixture
def folder(project):
    return project.root / "data" / "model"


@pytest.fixture
def model(folder):
    return Huse.load(folder, warn=pytest.fail)


@pytest.fixture
def items(project):
    return pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")


def added(path):
    point_D = np.ones(2, np.float32)
    return AddedClass(
        path, Place(point_D, point_D, 0, 0), np.zeros((0, 3), np.float32), [], "a", "huse"
    )


@pytest.mark.parametrize("label", ["path", "leaf", "parts"])
def test_added_classes_come_last_in_the_tree(label):
    classes = make_classes(["bags", "shoes<boots"], separator="<", label=label)
    before = ClassTree(classes)
    tree = ClassTree(with_added(classes, [added("shoes<barefoot<light")]))
    assert tree.path_J == [*before.path_J, "shoes<barefoot", "shoes<barefoot<light"]
    assert tree.path_J[tree.class_node_K[-1]] == "shoes<barefoot<light"


def test_a_class_is_where_its_name_and_examples_are(model, items, project):
    texts = items["text"].head(3).tolist()
    pictures = [project.root / "data/raw/openmoji/images" / name for name in items["image"].head(2)]
    both = model.embed([*pictures, None], texts)
    name = model.embed(None, [PATH])
    found = add_class(model, PATH, [both], "again")
    np.testing.assert_allclose(
        found.place.image_D, prototype(both.image_ND[:2], name.text_ND[0]), atol=1e-6
    )
    np.testing.assert_allclose(
        found.place.text_D, prototype(both.text_ND, name.text_ND[0]), atol=1e-6
    )
    assert found.place[2:] == (2, 3)
    assert found.texts == texts
    np.testing.assert_array_equal(found.picture_EI, both.image_PI)


def test_a_name_of_unknown_words_wants_examples(model, items):
    with pytest.raises(InputError, match="no word of the name is known; give --examples"):
        add_class(model, "xyzzyx", [], "again")
    v = model.embed(None, [items["text"][0]])
    place = add_class(model, "xyzzyx", [v], "again").place
    # Nothing is known of its pictures but what its text says.
    for place_D in (place.image_D, place.text_D):
        np.testing.assert_allclose(place_D, v.text_ND[0], atol=1e-6)


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


def test_nothing_is_unknown_that_is_as_the_examples(shipped_project, tmp_path):
    project = shipped_project.copy(tmp_path / "project")
    folder = project.root / "data" / "model"
    model = Huse.load(folder)
    strange = "zoning ordinance paragraph seventeen, amended by the county assessor"
    v = model.embed(None, [strange])
    assert model.near(v)[0].near is False
    add_class(model, "Documents", [v], "again")
    again = Huse.load(folder)
    (found,) = again.near(v)
    assert found.near
    assert found.distance == pytest.approx(0, abs=1e-5)
    (one,) = again.classify(again.embed(None, ["ordinance, section four"]))
    assert one.top[0].path == "Documents"
    assert one.state == "review"


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


def test_a_path_is_checked_and_written_as_the_catalogue_does(model):
    assert new_path(model, " a <  b c ") == "a<b c"
    for known in ("Animals & Nature", model.description.classes["classes"][0]["name"]):
        with pytest.raises(InputError, match="is in the class tree already"):
            new_path(model, known)


def test_a_parent_without_classes_is_told(model):
    assert unknown_parent(model, PATH) is None
    assert unknown_parent(model, "gadgets") is None
    assert unknown_parent(model, "qqq<x") == "qqq<x: no other class is below qqq"


def test_what_was_not_added_cannot_be_removed(folder):
    with pytest.raises(InputError, match="no such class was added; there is none"):
        remove_class(folder, "x")
