from dataclasses import replace

import pytest

from pipeline.core.errors import InputError
from pipeline.evaluate.evaluation_items import index_items
from pipeline.evaluate.facts import count_items, flatten, read_rejected, versions
from pipeline.features.classes import make_classes


def test_counts_by_split(write_artifacts, stored):
    items = index_items(**write_artifacts())
    counts = count_items(items, stored)
    assert counts["items"] == "6 train, 3 val, 3 test"
    assert counts["groups of variants"] == "6"
    assert counts["classes"] == "3"


def test_labels_are_counted_beside_the_class_paths(write_artifacts, stored):
    paths = ["bags<big", "bags<small", "hats"]
    labelled = replace(stored, classes=make_classes(paths, separator="<", label="parts"))
    counts = count_items(index_items(**write_artifacts()), labelled)
    assert (counts["classes"], counts["labels"]) == ("3", "4")
    assert "labels" not in count_items(index_items(**write_artifacts()), stored)


def test_leaves_are_named_by_their_path():
    tree = {"loss": {"beta": 2.0, "gap": {"x": None}}, "k": [1, 5]}
    assert flatten(tree) == {"loss.beta": "2.0", "loss.gap.x": "None", "k": "[1, 5]"}


def test_versions_of_what_computes_are_named():
    assert {"python", "torch", "numpy"} <= set(versions())


def test_rejected_rows_are_read_as_text(tmp_path):
    path = tmp_path / "rejected.csv"
    path.write_text("row,text,reason\n007,NA,empty class\n", encoding="utf-8")
    assert read_rejected(path).to_dict("records") == [
        {"row": "007", "text": "NA", "reason": "empty class"}
    ]


@pytest.mark.parametrize(("content", "message"), [(None, "not found"), (b"", "not a readable")])
def test_an_unusable_list_is_an_input_error(tmp_path, content, message):
    path = tmp_path / "rejected.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_rejected(path)
