from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.core.location import locate
from pipeline.image_features.pool import pool
from pipeline.model.description import read_description
from pipeline.use.raw_features import RawFeatures
from pipeline.use.read_items import located, pair, read_items


@pytest.fixture(scope="module")
def made(finished_project):
    """The description of a model, and what makes its features."""
    folder = finished_project.root / "data" / "model"
    description = read_description(folder)
    return RawFeatures(folder, description.recipe, pytest.fail), description


def test_usable_items_stand_in_their_order_and_the_others_have_reasons(made):
    raw, description = made
    picture = Image.linear_gradient("L")
    images = [picture, None, locate("nowhere.png", "images"), picture, None]
    texts = ["red heart", "cat", "dog", " \n", None]
    features, reasons = read_items(raw, description, images, texts)
    assert [bool(reason) for reason in reasons] == [False, False, True, True, True]
    assert "nowhere.png: file not found" in reasons[2]
    assert "text is empty" in reasons[3]
    assert reasons[4] == "no image and no text"
    assert features.has_image.tolist() == [True, False]
    assert features.has_text.tolist() == [True, True]
    assert features.texts == ["red heart", "cat"]
    assert len(features.image_PI) == 1
    assert features.text_MF.shape[0] == 2


def test_no_item_at_all_is_no_feature(made):
    raw, description = made
    features, reasons = read_items(raw, description, [], [])
    assert (len(features), reasons) == (0, [])
    assert features.image_PI.shape == (0, int(description.config["image_features"]))
    assert features.image_PI.dtype == np.float32


def test_what_is_not_given_is_missing_of_every_item():
    assert pair(["a.png", None], None) == (["a.png", None], [None, None])
    assert pair(None, ["cat"]) == ([None], ["cat"])
    for slip in ((None, None), ("a.png", None), (None, "cat"), (["a.png"], ["cat", "dog"])):
        with pytest.raises(ValueError, match="give"):
            pair(*slip)


def test_a_list_is_one_item_of_several_pictures(made):
    raw, description = made
    one, other = Image.linear_gradient("L"), Image.radial_gradient("L")
    broken, gone = locate("nowhere.png", "images"), locate("gone.png", "images")
    left_out = []
    features, reasons = read_items(
        raw,
        description,
        [[one, other], [gone, broken], [broken, one], [], [other]],
        [None, "cat", None, "dog", None],
        left_out.append,
    )
    assert reasons == ["", "gone.png: file not found", "", "", ""]
    assert features.has_image.tolist() == [True, True, False, True]
    alone = read_items(raw, description, [one, other], [None, None])[0].image_PI
    assert np.array_equal(features.image_PI, [pool(alone), alone[0], alone[1]])
    assert [str(found) for found in left_out] == [
        "nowhere.png: file not found; the item's other pictures are used"
    ]
    assert (left_out[0].item, left_out[0].place) == (2, 0)


def test_a_picture_that_is_left_out_is_told_to_the_user(made):
    raw, description = made
    lines = []
    told = replace(raw, warn=lines.append)
    broken = locate("nowhere.png", "images")
    read_items(told, description, [None, [Image.linear_gradient("L"), broken]], ["cat", None])
    assert lines == ["item 1: nowhere.png: file not found; the item's other pictures are used"]


def test_names_become_places_within_lists_too():
    path, picture = locate("a.png", "images"), Image.linear_gradient("L")
    assert located(["a.png", path, picture]) == [path, path, picture]
    assert located("a.png") == path
    assert located(None) is None
    assert located(picture) is picture
