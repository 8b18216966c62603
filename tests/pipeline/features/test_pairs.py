import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.core.json_file import write_json
from pipeline.core.table import write_table
from pipeline.core.vectors import vector_array
from pipeline.features.classes import make_classes
from pipeline.features.joined import index_features, join_features
from pipeline.features.pairs import Pairs, read_pairs

IDS = ["a", "b", "c", "d", "e"]
PATHS = ["shoes<boots", "hats", "shoes<boots", "hats", "bags"]
SPLITS = ["train", "val", "test", "train", "test"]


def load_pairs(**paths) -> Pairs:
    return read_pairs(index_features(**paths))


def vectors(ids, multiples):
    """Item n has the vector (n, 10 n, ...) for the multiples (1, 10, ...)."""
    numbers = np.array([[IDS.index(item)] for item in ids], dtype=np.float32)
    return vector_array(numbers * np.array(multiples, dtype=np.float32))


def write_image_features(path, ids):
    """The clean view of each item, and for every second one an augmented view before it."""
    rows = [(item, view) for item in ids for view in ((1, 0) if IDS.index(item) % 2 else (0,))]
    clean = np.array([[view == 0] for _, view in rows], dtype=np.float32)
    matrix = np.array([[IDS.index(item)] for item, _ in rows], dtype=np.float32) * [1, 10]
    columns = {
        "item_id": pa.array([item for item, _ in rows]),
        "view": pa.array([view for _, view in rows], pa.int8()),
        "vector": vector_array(np.where(clean, matrix, -1).astype(np.float32)),
    }
    pq.write_table(pa.table(columns), path)


def write_text_features(path, ids, blocks):
    columns = {name: vectors(ids, multiples) for name, multiples in blocks.items()}
    pq.write_table(pa.table({"item_id": pa.array(ids), **columns}), path)


@pytest.fixture
def artifacts(tmp_path):
    """All artifacts of five items; feature tables in another order than the items."""
    names = ("items", "splits", "groups", "classes", "image_features", "text_features")
    paths = {name: tmp_path / name for name in names}
    write_table(paths["items"], pd.DataFrame({"item_id": IDS, "class_path": PATHS}))
    splits = pd.DataFrame({"item_id": IDS[::-1], "split": SPLITS[::-1]})
    write_table(paths["splits"], splits)
    shared = {"product": [0, 1, 0, 2, 3], "picture": [4, 4, 3, 2, 1], "text": [0, 0, 0, 1, 2]}
    groups = pd.DataFrame({"item_id": IDS, **shared})
    write_table(paths["groups"], groups.iloc[::-1])
    write_json(paths["classes"], make_classes(PATHS, separator="<", label="path"))
    write_image_features(paths["image_features"], ["d", "b", "e", "a", "c"])
    write_text_features(paths["text_features"], ["c", "a", "e", "d", "b"], {"glove": [2, 3, 4]})
    return paths


def test_rows_are_aligned_by_item_id(artifacts):
    pairs = load_pairs(**artifacts)
    assert pairs.item_ids.tolist() == IDS
    assert pairs.image_NI.tolist() == [[n, 10 * n] for n in range(5)]
    assert pairs.text_NT.tolist() == [[2 * n, 3 * n, 4 * n] for n in range(5)]
    # Classes by name: bags 0, hats 1, shoes<boots 2.
    assert pairs.label_N.tolist() == [2, 1, 2, 1, 0]
    assert pairs.split_N.tolist() == SPLITS
    assert pairs.shared_N3.tolist() == [[0, 4, 0], [1, 4, 0], [0, 3, 0], [2, 2, 1], [3, 1, 2]]
    assert (pairs.image_NI.dtype, pairs.text_NT.dtype) == (torch.float32, torch.float32)
    assert pairs.label_N.dtype == torch.int64
    assert len(pairs) == 5


def test_blocks_of_several_encoders_stand_side_by_side(artifacts):
    blocks = {"one": [1], "two": [5, 6]}
    write_text_features(artifacts["text_features"], ["e", "d", "c", "b", "a"], blocks)
    assert load_pairs(**artifacts).text_NT.tolist() == [[n, 5 * n, 6 * n] for n in range(5)]


def test_items_without_both_features_are_left_out(artifacts):
    write_image_features(artifacts["image_features"], ["e", "c", "b", "a"])
    pairs = load_pairs(**artifacts)
    assert pairs.item_ids.tolist() == ["a", "b", "c", "e"]
    assert pairs.image_NI[:, 0].tolist() == [0, 1, 2, 4]
    assert pairs.text_NT[:, 0].tolist() == [0, 2, 4, 8]
    assert pairs.label_N.tolist() == [2, 1, 2, 0]
    every = read_pairs(join_features(**artifacts))
    assert every.item_ids.tolist() == IDS
    assert every.image_NI[:, 0].tolist() == [0, 1, 2, 0, 4]  # zeros where d has no picture
    assert every.text_NT[:, 0].tolist() == [0, 2, 4, 6, 8]


def test_a_split_without_items_to_train_with_is_named(artifacts):
    write_image_features(artifacts["image_features"], ["a", "d", "e"])
    with pytest.raises(InputError, match="no item of split val has both an image and a text"):
        load_pairs(**artifacts)
    write_image_features(artifacts["image_features"], ["e"])
    with pytest.raises(InputError, match="no item of split train, val has both"):
        load_pairs(**artifacts)


def test_there_may_be_no_test_items(artifacts):
    write_image_features(artifacts["image_features"], ["a", "b"])
    assert load_pairs(**artifacts).split_N.tolist() == ["train", "val"]


@pytest.mark.parametrize(
    "name", ["items", "splits", "groups", "classes", "image_features", "text_features"]
)
def test_a_missing_artifact_says_what_to_do(artifacts, name):
    artifacts[name].unlink()
    with pytest.raises(InputError, match=f"{name}: not found; run the stage that makes it first"):
        load_pairs(**artifacts)


def test_classes_of_another_catalogue_are_refused(artifacts):
    write_json(artifacts["classes"], make_classes(["hats", "bags"], separator="<", label="path"))
    with pytest.raises(InputError, match=r"'shoes<boots' is not in classes\.json"):
        load_pairs(**artifacts)


@pytest.mark.parametrize(
    ("choose", "chosen"),
    [
        (lambda pairs: pairs.only("train"), [0, 3]),
        (lambda pairs: pairs.take(np.array([4, 1])), [4, 1]),
        (lambda pairs: pairs.to(torch.device("cpu")), [0, 1, 2, 3, 4]),
    ],
)
def test_items_are_chosen_and_moved_with_all_that_is_theirs(artifacts, choose, chosen):
    pairs = load_pairs(**artifacts)
    found = choose(pairs)
    assert found.item_ids.tolist() == [IDS[n] for n in chosen]
    assert found.split_N.tolist() == [SPLITS[n] for n in chosen]
    for name in ("image_NI", "text_NT", "label_N", "shared_N3"):
        assert torch.equal(getattr(found, name), getattr(pairs, name)[chosen])
