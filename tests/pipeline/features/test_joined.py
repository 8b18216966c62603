import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.features.joined import index_features, join_features, read_groups
from pipeline.features.shared import REQUIRE
from tests.feature_tables import write_tables


def test_every_item_has_its_views_and_its_text(tmp_path):
    index = index_features(**write_tables(tmp_path, 12, views=2))
    assert index.num_views_N.tolist() == [3] * 12
    assert index.view_row_R.tolist() == list(range(36))
    assert index.clean_row.tolist() == list(range(0, 36, 3))
    assert index.image.read(index.clean_row)[:, 0].tolist() == list(range(12))
    assert index.text.read(index.text_row_N)[:, 0].tolist() == [-n for n in range(12)]


def test_one_split_keeps_all_views_of_its_items(tmp_path):
    index = index_features(**write_tables(tmp_path, 12, views=1))
    val = index.only("val")  # items 2, 6 and 10
    assert val.item_ids.tolist() == ["item-2", "item-6", "item-10"]
    views = val.image.read(val.view_row_R)[:, 0]
    assert np.allclose(views, [2, 2.1, 6, 6.1, 10, 10.1])
    assert set(val.split_N) == {"val"}


def test_items_can_be_taken_in_any_order(tmp_path):
    taken = index_features(**write_tables(tmp_path, 12, views=1)).take(np.array([5, 0]))
    assert taken.item_ids.tolist() == ["item-5", "item-0"]
    assert np.allclose(taken.image.read(taken.view_row_R)[:, 0], [5, 5.1, 0, 0.1])
    assert taken.first_view.tolist() == [0, 2]
    assert taken.shared_N3.tolist() == [[5, 5, 5], [0, 0, 0]]


def test_an_item_with_augmented_views_alone_is_left_out(tmp_path):
    paths = write_tables(tmp_path, 12, views=1)
    table = pq.read_table(paths["image_features"])
    without = [n for n in range(24) if n != 6]  # row 6 is view 0 of item 3
    pq.write_table(table.take(without), paths["image_features"])
    index = index_features(**paths)
    assert "item-3" not in index.item_ids
    assert len(index) == 11
    assert np.flatnonzero(~join_features(**paths).has_image).tolist() == [3]
    assert index.image.read(index.clean_row)[:, 0].tolist() == [n for n in range(12) if n != 3]


def test_bytes_are_those_of_all_views_as_float32(tmp_path):
    # 12 items x (3 views x 6 + 4 features of text) x 4 bytes
    assert index_features(**write_tables(tmp_path, 12, views=2)).nbytes == 12 * 22 * 4


def test_items_that_lack_a_feature_are_items_where_any_will_do(tmp_path):
    index = index_features(**write_tables(tmp_path, 12, without_image=[1, 5], without_text=[4, 5]))
    assert index.item_ids.tolist() == [f"item-{n}" for n in range(12) if n != 5]
    assert index.present.image_N.tolist() == [n != 1 for n in range(12) if n != 5]
    assert index.present.text_N.tolist() == [n != 4 for n in range(12) if n != 5]
    assert len(index.complete()) == 9
    assert index.complete().present is None


def test_items_need_both_where_the_catalogue_says_so(tmp_path):
    paths = write_tables(tmp_path, 12, without_image=[1])
    splits = pq.read_table(paths["splits"])
    pq.write_table(splits.replace_schema_metadata({REQUIRE: "both"}), paths["splits"])
    assert len(index_features(**paths)) == 11
    # As before there was a choice.
    pq.write_table(splits.replace_schema_metadata({}), paths["splits"])
    assert len(index_features(**paths)) == 11


def test_training_needs_items_that_have_both_in_train_and_val(tmp_path):
    paths = write_tables(tmp_path, 12, without_text=[2, 6, 10])
    with pytest.raises(InputError, match="no item of split val has both an image and a text"):
        index_features(**paths)


def test_groups_are_in_the_order_of_the_items(tmp_path):
    path = tmp_path / "groups.parquet"
    pq.write_table(pa.table({"item_id": ["a", "b", "c"], "group": [7, 8, 7]}), path)
    assert read_groups(path, np.array(["c", "b"])).tolist() == [7, 8]
