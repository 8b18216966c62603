import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.vectors import vector_array
from pipeline.index.hit import Hit
from pipeline.index.item_pictures import ItemPictures

UNIT = np.eye(3, dtype=np.float32)


def hit(row):
    return Hit(row, f"id-{row}", "first.jpg", "bag", "bags", 0.5)


@pytest.fixture
def pictures(tmp_path):
    """Of three items, of which the second has one picture, the others two and three."""
    images = ["0a.jpg", "0b.jpg", "2a.jpg", "2b.jpg", "2c.jpg"]
    vector_PD = UNIT[[0, 1, 2, 1, 0]]
    table = pa.table({"row": [0, 0, 2, 2, 2], "image": images, "vector": vector_array(vector_PD)})
    ItemPictures(table).save(tmp_path / "pictures.parquet")
    return ItemPictures.load(tmp_path / "pictures.parquet")


def test_the_picture_nearest_to_the_query_is_shown(pictures):
    shown = [pictures.show(hit(2), UNIT[n], items=3) for n in range(3)]
    assert [one.image for one in shown] == ["2c.jpg", "2b.jpg", "2a.jpg"]
    assert [one.picture for one in shown] == [7, 6, 5]
    assert [pictures.images[one.picture - 3] for one in shown] == [one.image for one in shown]
    assert shown[0]._replace(image="first.jpg", picture=None) == hit(2)


def test_of_equally_near_pictures_the_first_is_shown(pictures):
    assert pictures.show(hit(0), UNIT[2], items=3).image == "0a.jpg"


def test_an_item_with_one_picture_is_shown_as_it_is(pictures):
    assert pictures.show(hit(1), UNIT[0], items=3) == hit(1)
    assert pictures.show(hit(3), UNIT[0], items=4) == hit(3)
