import numpy as np
import pytest

from pipeline.core.location import locate
from pipeline.image_features.pool import pool
from pipeline.pictures.file import PictureBytes
from pipeline.use.pooled_pictures import pool_pictures

VECTORS = {"a.png": [3, 0], "b.png": [0, 1], "copy.png": [3, 0], "picture": [1, 1]}


@pytest.fixture
def encoder():
    """Knows vectors of the pictures by what they are called; what it was asked for."""
    asked = []

    def encode(pictures):
        asked.append([str(picture) for picture in pictures])
        found = [VECTORS.get(name, [np.nan] * 2) for name in asked[-1]]
        reasons = [None if name in VECTORS else "broken" for name in asked[-1]]
        return np.array(found, np.float32).reshape(-1, 2), reasons

    return encode, asked


def named(*names):
    return [locate(name, "images") for name in names]


def test_each_picture_is_encoded_once_and_counts_once_in_its_item(encoder):
    encode, asked = encoder
    bytes_of = PictureBytes(b"")
    items = [
        named("a.png", "b.png", "a.png", "copy.png"),
        named("b.png"),
        [bytes_of, *named("a.png"), bytes_of],
    ]
    vector_PI, reasons, left_out = pool_pictures(encode, items)
    assert asked == [["a.png", "b.png", "copy.png", "picture"]]
    pooled = [pool(np.array(one, np.float32)) for one in ([[3, 0], [0, 1]], [[1, 1], [3, 0]])]
    assert vector_PI == pytest.approx(np.array([pooled[0], [0, 1], pooled[1]]))
    assert reasons == [""] * 3
    assert left_out == []


def test_an_item_is_refused_where_none_of_its_pictures_can_be_used(encoder):
    encode, _ = encoder
    items = [named("x.png", "b.png", "y.png"), named("y.png", "x.png"), named("a.png")]
    vector_PI, reasons, left_out = pool_pictures(encode, items)
    assert reasons == ["", "y.png: broken", ""]
    assert vector_PI[[0, 2]].tolist() == [[0, 1], [3, 0]]
    assert np.isnan(vector_PI[1]).all()
    assert left_out == [(0, 0, "x.png", "broken"), (0, 2, "y.png", "broken")]


def test_nothing_is_asked_for_without_items(encoder):
    vector_PI, reasons, left_out = pool_pictures(encoder[0], [])
    assert (vector_PI.shape, reasons, left_out) == ((0, 2), [], [])
