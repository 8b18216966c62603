import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from pipeline.baseline import baseline as module
from pipeline.baseline.baseline import fit_baseline, read_baseline, write_baseline
from pipeline.core.errors import InputError
from pipeline.core.table import write_table
from pipeline.features.joined import index_features
from pipeline.features.pairs import read_pairs

NAMES = ["bags<big", "bags<small", "hats"]


@pytest.fixture
def index(write_artifacts):
    return index_features(**write_artifacts())


def fit(index, most_items):
    recipe = {"image": {"backbone": "a"}, "text": {"encoders": "b"}}
    return fit_baseline(index, NAMES, most_items=most_items, recipe=recipe)


def test_it_is_what_scikit_learn_says_on_standardised_features(index):
    found = fit(index, 100)
    train, test = read_pairs(index.only("train")), read_pairs(index.only("test"))
    parts = {"image": train.image_NI.numpy(), "text": train.text_NT.numpy()}
    asked = {"image": test.image_NI.numpy(), "text": test.text_NT.numpy()}
    parts["fused"] = np.concatenate([parts["image"], parts["text"]], axis=1)
    asked["fused"] = np.concatenate([asked["image"], asked["text"]], axis=1)
    assert list(found.predicted) == ["image", "text", "fused"]
    for modality, features_NF in parts.items():
        scaler = StandardScaler().fit(features_NF)
        model = LogisticRegression(max_iter=1000)
        model.fit(scaler.transform(features_NF), train.label_N.numpy())
        said = model.predict(scaler.transform(asked[modality]))
        assert found.predicted[modality].tolist() == [NAMES[label] for label in said]
    assert found.predicted.index.tolist() == test.item_ids.tolist()
    assert (found.fitted_items, found.train_items) == (6, 6)


def test_above_a_size_a_sample_is_fitted_on_and_told_of(index, monkeypatch):
    found = fit(index, 5)
    assert (found.fitted_items, found.train_items) == (5, 6)
    assert fit(index, 5).predicted.equals(found.predicted)
    # Ten features and three classes: four items are all that is affordable.
    monkeypatch.setattr(module, "MOST_WORK", 4 * 10 * 3)
    assert fit(index, 100).fitted_items == 4


@pytest.mark.parametrize(("bound", "value"), [("MOST_WORK", 2 * 10 * 3), ("MOST_WEIGHTS", 29)])
def test_what_cannot_be_afforded_is_no_baseline(index, monkeypatch, bound, value):
    # Not an item per class; more weights than ten features of three classes.
    monkeypatch.setattr(module, bound, value)
    found = fit(index, 100)
    assert (found.fitted_items, list(found.predicted)) == (0, [])


def test_test_items_are_classified_alike_in_any_blocks(index, monkeypatch):
    expected = fit(index, 100).predicted
    monkeypatch.setattr(module, "BLOCK_SCORES", 1)
    assert fit(index, 100).predicted.equals(expected)


def test_where_train_has_one_class_that_is_what_is_said(write_artifacts):
    # Of twelve items in three classes, numbers 0 and 3 are alone in train, both of the first.
    splits = ("train", "val", "test", "train", *("val", "test") * 4)
    index = index_features(**write_artifacts(splits=splits))
    found = fit(index, 100)
    assert set(found.predicted.to_numpy().flatten()) == {NAMES[0]}


def test_written_and_read_back(index, tmp_path):
    path = tmp_path / "predictions.parquet"
    for most_items in (100, 0):
        made = fit(index, most_items)
        write_baseline(path, made)
        found = read_baseline(path)
        assert found.predicted.index.tolist() == made.predicted.index.tolist()
        assert found.predicted.astype(str).equals(made.predicted.astype(str))
        assert found._replace(predicted=None) == made._replace(predicted=None)
    assert list(read_baseline(path).predicted) == [], "0 items: no baseline"


def test_a_table_of_another_program_is_refused(tmp_path):
    path = tmp_path / "predictions.parquet"
    write_table(path, pd.DataFrame({"item_id": ["a"], "fused": ["hats"]}), {"baseline": "[]"})
    with pytest.raises(InputError, match=r"predictions\.parquet: damaged .*; run huse baseline"):
        read_baseline(path)


def test_an_item_is_classified_by_what_it_has_and_the_mean_of_the_rest(write_artifacts):
    have = {"images": set(range(12)) - {1, 7}, "texts": set(range(12)) - {4, 11}}
    index = index_features(**write_artifacts(**have, require="any"))
    found = fit(index, 100).predicted
    assert found["image"].isna().tolist() == [False, True, False]  # test items 3, 7 and 11
    assert found["text"].isna().tolist() == [False, False, True]
    assert found["fused"].notna().all()
    train, test = index.only("train"), index.only("test")
    blocks = []
    for part in (train, test):
        image, text = read_pairs(part).image_NI.numpy(), read_pairs(part).text_NT.numpy()
        image[~part.has_image], text[~part.has_text] = np.nan, np.nan
        blocks.append(np.concatenate([image, text], axis=1))
    mean_F = np.nanmean(blocks[0], axis=0)
    filled = [np.where(np.isnan(block), mean_F, block) for block in blocks]
    scaler = StandardScaler().fit(filled[0])
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(filled[0]), train.label_N)
    said = model.predict(scaler.transform(filled[1]))
    assert found["fused"].tolist() == [NAMES[label] for label in said]
