import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.model.new_class import place_of_name, prototype
from pipeline.use.added_classes import add_class, new_path, remove_class, unknown_parent

PATH = "Animals & Nature<red heart"


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


def test_a_name_alone_is_placed_by_the_nearest_classes(model, items):
    rule = model.known.rule
    name_D = model.embed(None, [PATH]).text_ND[0]
    place = add_class(model, PATH, [], "again").place
    for place_D, mean_KD in ((place.image_D, rule.image_KD), (place.text_D, rule.text_KD)):
        wanted_D = place_of_name(name_D, rule.name_KD, mean_KD)
        np.testing.assert_allclose(place_D, wanted_D, atol=1e-6)
        assert not np.allclose(place_D, name_D, atol=1e-3)
    assert place[2:] == (0, 0)
    # Of texts alone nothing is known of the pictures but the name.
    texts = model.embed(None, items["text"].head(2).tolist())
    found = add_class(model, PATH, [texts], "again").place
    np.testing.assert_allclose(found.image_D, place.image_D, atol=1e-6)
    np.testing.assert_allclose(found.text_D, prototype(texts.text_ND, name_D), atol=1e-6)


def test_a_name_of_unknown_words_wants_examples(model, items):
    with pytest.raises(InputError, match="no word of the name is known; give --examples"):
        add_class(model, "xyzzyx", [], "again")
    v = model.embed(None, [items["text"][0]])
    place = add_class(model, "xyzzyx", [v], "again").place
    # Nothing is known of its pictures but what its text says.
    for place_D in (place.image_D, place.text_D):
        np.testing.assert_allclose(place_D, v.text_ND[0], atol=1e-6)


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
