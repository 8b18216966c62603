import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.use import own_tree
from pipeline.use.own_tree import OwnTree, read_catalogue

A, B, AB = ("a",), ("b",), ("a", "b")


def test_titles_are_added_up_at_and_above_their_class():
    feature_NF = np.array([[2.0, 0.0], [0.0, 3.0], [0.0, 0.0]], np.float32)
    pieces = iter([(np.array([0]), feature_NF[:1]), (np.array([1, 2]), feature_NF[1:])])
    tree = OwnTree.build([AB, A, B], pieces)
    assert tree.nodes == [A, AB, B]
    assert tree.count_K.tolist() == [2, 1, 1]
    assert np.array_equal(tree.titles_KF, [[1, 1], [1, 0], [0, 0]])


def files(project):
    data = project.root / "data"
    return data / "model", data / "catalog" / "items.parquet", data / "features" / "text.parquet"


def test_a_catalogue_is_read_a_part_at_a_time(finished_project, monkeypatch):
    found = read_catalogue(*files(finished_project))
    items = pd.read_parquet(files(finished_project)[1])
    tree = found.tree
    assert tree.count_K[[len(node) == 1 for node in tree.nodes]].sum() == len(items)
    some = items[items["class_path"] == items["class_path"].iloc[0]]
    unit = own_tree.unit_rows(found.encode(some["text"].tolist()))
    node = tree.nodes.index(tuple(some["class_path"].iloc[0].split(found.separator)))
    assert np.allclose(tree.titles_KF[node], unit.sum(axis=0), atol=1e-4)
    monkeypatch.setattr(own_tree, "ROWS", 7)
    again = read_catalogue(*files(finished_project)).tree
    assert again.nodes == tree.nodes
    assert np.allclose(again.titles_KF, tree.titles_KF, atol=1e-4)


def test_features_of_another_run_are_refused(finished_project):
    model, items, _ = files(finished_project)
    other = finished_project.root / "data" / "text_blocks" / "glove" / "features.parquet"
    if not other.is_file():
        other = next((finished_project.root / "data" / "text_blocks").rglob("*.parquet"))
    with pytest.raises(InputError, match="made in another way"):
        read_catalogue(model, items, other)
