from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.attributes import fit as module
from pipeline.attributes.fit import fit_attributes
from pipeline.attributes.settings import AttributesSettings
from pipeline.core.errors import InputError
from pipeline.features.joined import index_features
from tests.feature_tables import write_tables

COUNT = 400
LABELS = np.array(["low", "high"])
RECIPE = {"image": {"backbone": "a"}, "text": {"encoders": "b"}}


@pytest.fixture
def index(tmp_path):
    """Items whose first image feature is their number, and the first of the text its negative."""
    return index_features(
        **write_tables(tmp_path, COUNT, without_image=range(0, 40), without_text=range(360, 400))
    )


@pytest.fixture
def table():
    """`half` is told by the number, `noise` by nothing, `rare` is mostly one value."""
    noise = np.random.default_rng(0).permutation(np.arange(COUNT) % 2)
    rare = ["often"] * (COUNT - 7) + ["a", "b"] + [None] * 5
    return pa.table(
        {
            "half": LABELS[(np.arange(COUNT) >= COUNT / 2).astype(int)],
            "noise": noise == 1,
            "rare": rare,
        }
    )


def fit(index, table, *names, fewest=10, warn=pytest.fail):
    settings = AttributesSettings(predict=list(names), fewest=fewest)
    return fit_attributes(
        index,
        table,
        np.arange(COUNT),
        settings,
        recipe=RECIPE,
        path=Path("attributes.parquet"),
        warn=warn,
    )


def test_every_modality_has_a_head_of_the_items_that_have_it(index, table):
    heads, figures = fit(index, table, "half", "noise")
    assert heads.recipe == RECIPE
    assert heads.attributes["half"]["image"].values == ["high", "low"]
    assert heads.attributes["noise"]["text"].values == [False, True]
    tested = index.only("test")
    has_image, has_text = tested.has_image, tested.has_text
    counts = {"image": has_image.sum(), "text": has_text.sum()}
    # One that lacks a part is never asked by the head of both.
    counts["fused"] = (has_image & has_text).sum()
    for modality, count in counts.items():
        found = figures["half"][modality]
        assert found["items"] == count
        assert found["accuracy"] > 0.95
        low, high = found["interval"]
        assert low <= found["accuracy"] <= high
        assert found["ended"]
        assert found["macro_f1"] > 0.95
        # By what nothing tells it is right as often as a guess, and says so.
        chance = figures["noise"][modality]
        assert abs(chance["accuracy"] - 0.5) < 0.2
        assert chance["probability"] < 0.75
    assert abs(figures["half"]["fused"]["floor"] - 0.5) < 0.1


def test_what_is_said_of_test_items_is_what_is_measured(index, table):
    heads, figures = fit(index, table, "half")
    values, head = heads.attributes["half"]["image"]
    tested = index.only("test")
    image_NI = tested.image.read(tested.clean_row)[tested.has_image]
    said = np.array(values)[head.probabilities(image_NI).argmax(axis=1)]
    number = np.array([int(name.removeprefix("item-")) for name in tested.item_ids])
    true = LABELS[(number[tested.has_image] >= COUNT / 2).astype(int)]
    assert figures["half"]["image"]["accuracy"] == (said == true).mean()


def test_a_value_of_few_items_is_never_predicted_and_counts_as_an_error(index, table):
    values = ["often"] * COUNT
    values[3::16] = [f"alone {n}" for n in range(len(values[3::16]))]  # all of them test items
    table = table.append_column("odd", pa.array(values))
    heads, figures = fit(index, table, "odd")
    assert heads.attributes["odd"]["fused"].values == ["often"]
    found = figures["odd"]["fused"]
    assert found["never_predicted"] == pytest.approx(0.25)
    assert found["accuracy"] == found["floor"] == pytest.approx(0.75)


def test_items_without_a_value_are_left_out(index, table):
    _, figures = fit(index, table, "rare")
    known = np.array([value is not None for value in table["rare"].to_pylist()])
    asked = known & index.has_text & (index.split_N == "test")
    assert figures["rare"]["text"]["items"] == asked.sum()


def test_of_too_many_items_a_sample_is_fitted_on_with_every_value(index, table, monkeypatch):
    monkeypatch.setattr(module, "MOST_WORK", 30 * 10 * 2)
    _, figures = fit(index, table, "half")
    assert 30 <= figures["half"]["fused"]["train_items"] <= 32
    monkeypatch.setattr(module, "MOST_ITEMS", 50)
    _, figures = fit(index, table, "half", fewest=2)
    counts = {name: figures["half"][name]["items"] for name in ("image", "text", "fused")}
    assert counts["image"] + counts["text"] - counts["fused"] == 50


def test_what_is_too_rare_in_the_sample_is_told_of(index, table, monkeypatch):
    """Of a split of many items, few have each of a brand's values."""
    table = table.append_column("brand", pa.array([f"{n // 20}" for n in range(COUNT)]))
    assert fit(index, table, "brand")[1]["brand"]["fused"]["predicted_values"] == 20
    monkeypatch.setattr(module, "MOST_ITEMS", 50)
    with pytest.raises(InputError, match="brand has no value with 10 training items"):
        fit(index, table, "brand")


def test_a_head_of_both_parts_is_calibrated_on_items_that_have_both(index, table):
    has_both = index.has_image & index.has_text
    lacks = (index.split_N == "val") & ~has_both
    assert lacks.any()
    values = np.array(table["half"].to_pylist())
    values[lacks] = LABELS[(values[lacks] == "low").astype(int)]
    table = table.append_column("other", pa.array(values))
    heads, _ = fit(index, table, "half", "other")
    one, other = (heads.attributes[name] for name in ("half", "other"))
    assert np.array_equal(one["fused"].head.temperature, other["fused"].head.temperature)
    assert not np.array_equal(one["image"].head.temperature, other["image"].head.temperature)


def test_the_same_items_give_the_same_heads(index, table):
    first, second = (fit(index, table, "half") for _ in range(2))
    assert first[1] == second[1]
    for one, other in zip(
        first[0].attributes["half"]["fused"].head,
        second[0].attributes["half"]["fused"].head,
        strict=True,
    ):
        assert np.array_equal(one, other)


def test_without_test_items_there_are_heads_and_no_figures_of_them(tmp_path, table):
    paths = write_tables(tmp_path, COUNT, splits=("train", "train", "val"))
    heads, figures = fit(index_features(**paths), table, "half")
    assert list(heads.attributes["half"]) == ["image", "text", "fused"]
    assert "accuracy" not in figures["half"]["fused"]
