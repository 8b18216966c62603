import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.evaluate.evaluation_items import index_items


def features(items, rows):
    """First image and text feature of some items."""
    pairs = list(items.blocks(np.asarray(rows, dtype=np.int64)))
    assert len(pairs) == 1
    return pairs[0].image_NI[:, 0].tolist(), pairs[0].text_NT[:, 0].tolist()


def test_items_come_with_their_clean_view_and_text(write_artifacts):
    items = index_items(**write_artifacts())
    assert items.modalities == ("image", "text", "fused")
    assert items.warnings == ()
    assert items.test.tolist() == [3, 7, 11]
    assert features(items, items.test) == ([3, 7, 11], [3, 7, 11])
    assert items.table["group"].tolist() == [n // 2 for n in range(12)]
    assert items.table["text"].tolist() == [f"thing {n}" for n in range(12)]
    assert items.table["same_text"].tolist() == list(range(12))


def test_test_items_that_share_something_with_other_splits_are_found(write_artifacts):
    items = index_items(**write_artifacts())
    # Test items 3, 7 and 11 are in groups with 2 (val), 6 (val) and 10 (val).
    assert items.shared_with("group", ["train"]).tolist() == [False] * 3
    assert items.shared_with("group", ["train", "val"]).tolist() == [True] * 3
    assert items.shared_with("same_text", ["train", "val"]).tolist() == [False] * 3


def test_an_item_without_one_of_the_modalities_is_left_out(write_artifacts):
    items = index_items(**write_artifacts(images=[0, 1, 3, 7], texts=[1, 2, 3, 7, 11]))
    assert items.table["item_id"].tolist() == ["item-1", "item-3", "item-7"]
    assert features(items, [2, 0]) == ([7, 1], [7, 1])


def test_without_any_picture_the_texts_are_evaluated(write_artifacts):
    items = index_items(**write_artifacts(images=[]))
    assert items.modalities == ("text",)
    assert len(items.table) == 12
    assert features(items, items.test) == ([0, 0, 0], [3, 7, 11])
    assert "only the text is evaluated" in items.warnings[0]


def test_where_only_test_pictures_are_missing_the_texts_are_evaluated(write_artifacts):
    items = index_items(**write_artifacts(images=[0, 1, 2, 4]))
    assert items.modalities == ("text",)
    assert items.test.tolist() == [3, 7, 11]


def test_without_any_text_the_pictures_are_evaluated(write_artifacts):
    items = index_items(**write_artifacts(texts=[]))
    assert items.modalities == ("image",)
    assert features(items, items.test) == ([3, 7, 11], [0, 0, 0])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"splits": ("train", "val")}, "no item is in the test split"),
        ({"images": [0], "texts": [0]}, "no test item has a feature"),
    ],
)
def test_an_empty_test_split_is_said(write_artifacts, changed, reason):
    items = index_items(**write_artifacts(**changed))
    assert items.test.tolist() == []
    assert items.warnings[0].startswith(reason)
    assert features(items, []) == ([], [])


def test_a_test_split_of_one_class_is_said(write_artifacts):
    # Of the items 3, 7 and 11, only 3 keeps its text.
    items = index_items(**write_artifacts(texts=[0, 1, 2, 3]))
    assert "of one class" in items.warnings[0]


def test_a_missing_table_is_an_input_error(write_artifacts):
    paths = write_artifacts()
    paths["groups"].unlink()
    with pytest.raises(InputError, match="groups: not found"):
        index_items(**paths)


def test_where_any_will_do_items_are_there_with_what_they_have(write_artifacts):
    items = index_items(**write_artifacts(images=[0, 1, 3, 7], texts=[1, 3, 11], require="any"))
    assert items.modalities == ("image", "text", "fused")
    assert items.warnings == ()
    assert items.table["item_id"].tolist() == [f"item-{n}" for n in (0, 1, 3, 7, 11)]
    (pairs,) = items.blocks(items.test)
    assert pairs.present.image_N.tolist() == [True, True, False]
    assert pairs.present.text_N.tolist() == [True, False, True]


def test_test_items_of_which_none_has_both_are_evaluated_by_what_they_have(write_artifacts):
    items = index_items(**write_artifacts(images=[3, 7], texts=[0, 11], require="any"))
    assert items.modalities == ("image", "text", "fused")
    assert len(items.test) == 3
    texts = index_items(**write_artifacts(images=[0], require="any"))
    assert texts.modalities == ("text",)
