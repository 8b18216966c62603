"""Test splits that not everything can be measured on, from the catalogue to the index."""

import json

import pandas as pd

from pipeline.core.table import write_table
from stages.__main__ import STAGES

FROM_FEATURES_ON = STAGES[STAGES.index("catalog") + 1 :]


def run(shop, stages):
    """Run stages that must succeed; returns what the last but one, evaluate, had to say."""
    for stage in stages:
        result = shop.huse(stage)
        assert result.exit_code == 0, f"{stage}: {result.output}"
        if stage == "evaluate":
            said = result.stderr
    return said


def resplit(shop, change):
    """Run stage catalog, then change each item's split as `change` says."""
    assert shop.huse("catalog").exit_code == 0
    path = shop.root / "data/catalog/splits.parquet"
    splits = pd.read_parquet(path)
    write_table(path, splits.assign(split=splits["split"].map(change)))
    items = pd.read_parquet(shop.root / "data/catalog/items.parquet")
    return items.merge(splits, on="item_id")


def read(shop, name):
    return json.loads((shop.root / "data" / name).read_text(encoding="utf-8"))


def test_without_test_items_everything_but_the_figures_is_made(shop):
    items = resplit(shop, lambda split: "val" if split == "test" else split)
    said = run(shop, FROM_FEATURES_ON)
    assert "warning: no item is in the test split: only the catalogue is counted" in said
    metrics = read(shop, "evaluate/metrics.json")
    assert metrics["test"]["items"] == 0
    assert "retrieval" not in metrics
    assert "only the catalogue is counted" in (shop.root / "data/evaluate/report.html").read_text(
        encoding="utf-8"
    )
    assert read(shop, "index/metrics.json")["items"] == len(items)
    assert shop.huse("search", "red boots").exit_code == 0


def test_test_items_without_pictures_are_measured_by_their_texts(shop):
    items = resplit(shop, lambda split: split)
    for image in items.loc[items["split"] == "test", "image"]:
        (shop.root / "pictures" / image).write_bytes(b"no picture")
    shop.set({"image.max_failed": 0.5, "index.modality": "text"})
    said = run(shop, FROM_FEATURES_ON)
    assert "only the text is evaluated" in said
    metrics = read(shop, "evaluate/metrics.json")
    # Each test item is the only one of its class, so no text can find another one of it.
    assert "text to text: not measured" in said
    assert "retrieval" not in metrics
    assert set(metrics["classification"]) == {"text"}
    assert read(shop, "index/metrics.json")["items"] == len(items)
    assert shop.huse("search", "red boots").exit_code == 0
    shop.set({"index.modality": "fused"})
    assert "no embeddings of modality fused; it has text; see index.modality" in shop.refuse(
        "index"
    )
