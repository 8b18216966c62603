import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.table import write_table
from pipeline.drift.baseline import make_baseline
from pipeline.features.shared import REQUIRE


@pytest.fixture(scope="module")
def splits(tables):
    return pd.read_parquet(tables["splits"]).merge(pd.read_parquet(tables["items"]))


def test_it_is_of_held_out_and_training_items(baseline, splits):
    held_out = splits[splits["split"] != "train"]
    assert len(baseline.paths) == len(held_out)
    trained = splits[splits["split"] == "train"]
    assert baseline.trained_classes == trained["class_path"].value_counts().to_dict()
    assert baseline.trained["image"].count == len(trained)
    for name in ("image", "text"):
        assert len(baseline.features[name]) == len(baseline.group[name]) == len(held_out)


def test_the_model_is_asked_of_the_class_as_of_new_items(baseline, huse, splits, shipped_project):
    pictures = shipped_project.root / "data" / "raw" / "openmoji" / "images"
    held_out = splits[splits["split"] != "train"].head(5)
    v = huse.embed([pictures / name for name in held_out["image"]], held_out["text"].tolist())
    predictions = huse.classify(v, 1)
    assert baseline.paths[:5] == [one.top[0].path for one in predictions]
    assert baseline.probability_M[:5] == pytest.approx(
        [one.top[0].probability for one in predictions], abs=1e-4
    )


def test_an_item_is_not_near_to_itself(baseline):
    # With themselves in the catalogue none would be far; nine of ten are within each limit.
    assert 0 < baseline.far_M.mean() < 0.3


def test_without_an_index_nobody_tells_what_is_near(huse, model_folder, tables, tmp_path):
    assert make_baseline(huse, model_folder, tmp_path, **tables).far_M is None


def test_a_catalogue_without_held_out_items_is_refused(
    huse, model_folder, index_folder, tables, tmp_path
):
    frame = pd.read_parquet(tables["splits"]).assign(split="train")
    write_table(tmp_path / "splits.parquet", frame, {REQUIRE: "both"})
    changed = {**tables, "splits": tmp_path / "splits.parquet"}
    with pytest.raises(InputError, match="no validation or test item"):
        make_baseline(huse, model_folder, index_folder, **changed)


def test_features_that_were_made_otherwise_are_refused(
    huse, model_folder, index_folder, tables, tmp_path
):
    frame = pd.DataFrame({"item_id": ["a"], "view": np.zeros(1, np.int8)})
    write_table(tmp_path / "image.parquet", frame, {"backbone": "another"})
    changed = {**tables, "image_features": tmp_path / "image.parquet"}
    with pytest.raises(InputError, match="made in another way than the model wants"):
        make_baseline(huse, model_folder, index_folder, **changed)
