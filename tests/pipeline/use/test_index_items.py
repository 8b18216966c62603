from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from pipeline.catalog.rows import TableForm
from pipeline.core.errors import BadRowError
from pipeline.index.changes import VECTOR
from pipeline.use.index_items import (
    IndexItems,
    IndexKind,
    convert,
    frozen_features,
    make_items,
    read_values,
)
from pipeline.use.new_items import read_items

SCHEMA = pa.schema([("item_id", pa.string()), ("price", pa.float64()), ("image", pa.string())])


def kind_of(model):
    description = {"modality": "fused", "separator": "<"}
    return IndexKind(description, "one", SCHEMA, model.description.dimension)


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (" 12.90 ", pa.float64(), 12.9),
        ("12", pa.int64(), 12),
        ("12.95", pa.float64(), 12.95),
        (12, pa.float64(), 12.0),
        ("+5", pa.int64(), 5),
        ("-5", pa.int64(), -5),
        ("+5", pa.float64(), 5.0),
        (12.95, pa.decimal128(6, 2), Decimal("12.95")),
        (7, pa.decimal128(6, 2), Decimal("7.00")),
        ("true", pa.bool_(), True),
        (False, pa.bool_(), False),
        ("2024-12-31", pa.date32(), date(2024, 12, 31)),
        (7, pa.string(), "7"),
        ("", pa.int64(), None),
        (None, pa.string(), None),
        (float("nan"), pa.float64(), None),
    ],
)
def test_values_become_what_the_catalogue_has(value, kind, wanted):
    found = convert("x", value, kind)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("12,90", pa.float64()),
        ("1.5", pa.int64()),
        ("007", pa.int64()),
        ("0x7", pa.int64()),
        ("12.955", pa.decimal128(6, 2)),
        (12.955, pa.decimal128(6, 2)),
        (True, pa.decimal128(6, 2)),
        ("31.12.2024", pa.date32()),
        (["a"], pa.string()),
    ],
)
def test_a_value_of_another_kind_is_told(value, kind):
    with pytest.raises(BadRowError, match="and of the catalogue's kind"):
        convert("price", value, kind)


def test_a_table_says_what_it_has_of_the_attributes(tmp_path):
    table = tmp_path / "new.csv"
    table.write_text("text,classes,image\nred,a<b,x.png\n\nblue,,\n", encoding="utf-8")
    columns = {"image": "image", "text": "text", "classes": "classes"}
    said = read_values(table, columns, SCHEMA, TableForm())
    # One column is both the picture and an attribute.
    assert said.names == ["image"]
    assert said.values == {1: ["a<b", "x.png"], 3: ["", ""]}
    assert said.has == {"image", "text", "classes"}
    table.write_text("price\n5\n", encoding="utf-8")
    said = read_values(table, columns, SCHEMA, TableForm())
    assert (said.names, said.values, said.has) == (["price"], {1: ["", "5"]}, frozenset())


def test_items_are_named_and_embedded_as_the_catalogue_has_them(model, items, tmp_path):
    shown = items.iloc[[0, 4]]
    table = tmp_path / "new.csv"
    rows = [f"{row.text},{row.class_path},3.5" for row in shown.itertuples()]
    table.write_text("\n".join(["text,classes,price", *rows, "dog,,"]) + "\n", encoding="utf-8")
    columns = {"image": "image", "text": "text", "classes": "classes"}
    kind = kind_of(model)
    rejected = []
    made = make_items(
        model,
        read_items(model, table, tmp_path, {}),
        read_values(table, columns, SCHEMA, TableForm()),
        kind,
        picture=str,
        reject=rejected.extend,
    )
    assert rejected == []
    assert made.rows == [1, 2, 3]
    assert made.guessed == {3}
    v = model.embed(texts=[*shown["text"], "dog"])
    found = made.table(kind)
    assert np.stack(found[VECTOR].to_pylist()) == pytest.approx(v.fused_ND, abs=1e-6)
    assert found["price"].to_pylist() == [3.5, 3.5, None]
    assert found["class_path"].to_pylist()[2] == model.classify(v, k=1)[2].top[0].path
    ids, block = made.blocks()["text"]
    assert ids == found["item_id"].to_pylist()
    assert np.array_equal(np.asarray(block), np.asarray(v.text_MF))
    few = made.take([2])
    assert few.blocks()["text"][0] == ids[2:]
    assert few.table(kind)["text"].to_pylist() == ["dog"]
    assert len(IndexItems().table(kind)) == 0


def test_frozen_features_are_of_what_an_item_has(model, picture_names, picture_folder):
    features, _ = model.read_features([picture_folder / picture_names[0], None], [None, "dog"])
    found = frozen_features(features)
    assert {name: list(of) for name, of in found.items()} == {"image": [0], "text": [1]}
    assert np.array_equal(found["image"][0], features.image_PI)
    assert np.array_equal(found["text"][1], features.text_MF)
