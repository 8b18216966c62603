"""What a class is, from the catalogue to the report: catalog.label leaf and parts."""

import json

import numpy as np
import pandas as pd
import pytest

from stages.__main__ import STAGES

TO_THE_REPORT = STAGES[: STAGES.index("evaluate") + 1]


def run(shop, **changed):
    shop.set(changed)
    for stage in TO_THE_REPORT:
        result = shop.huse(stage)
        assert result.exit_code == 0, result.output


def read(shop, name):
    return json.loads((shop.root / "data" / name).read_text(encoding="utf-8"))


def test_parts_are_labels_from_end_to_end(shop):
    run(shop, **{"catalog.label": "parts", "graph.of": "path"})
    classes = read(shop, "catalog/classes.json")
    labels = ["boots", "clothing", "dress", "jewelry", "knitwear", "shoes", "sweater"]
    paths = ["clothing<dress", "clothing<knitwear<sweater", "jewelry", "shoes<boots"]
    assert [entry["name"] for entry in classes["classes"]] == labels
    assert [entry["name"] for entry in classes["paths"]] == paths
    # The graph and the classifier are about the parts, each by its own name.
    graph = read(shop, "graph/classes.json")
    assert graph["classes"] == labels
    assert graph["of"] == "leaf"
    assert np.load(shop.root / "data/graph/adjacency.npy").shape == (7, 7)
    model = read(shop, "model/model.json")
    assert model["config"]["num_classes"] == 7
    assert model["fusion"]["multi_label"]
    # Retrieval and the exact prediction are about the paths.
    metrics = read(shop, "evaluate/metrics.json")
    assert metrics["test"]["classes"] == 4
    for modality in ("image", "text", "fused"):
        figures = metrics["classification"][modality]
        assert 0 <= figures["accuracy"] <= 1
        low, high = metrics["intervals"]["classification"][modality]["top3_share"]
        assert low <= figures["top3_share"] <= high
    assert metrics["top3_share"] == metrics["classification"]["fused"]["top3_share"]
    frame = pd.read_parquet(shop.root / "data/evaluate/embeddings.parquet")
    assert set(frame["predicted_path"]) <= set(paths)
    html = (shop.root / "data/evaluate/report.html").read_text(encoding="utf-8")
    assert "top3 share" in html
    neighbours = pd.read_csv(shop.root / "data/evaluate/plots/graph_neighbours.csv")
    assert neighbours["class"].drop_duplicates().tolist() == labels


@pytest.mark.parametrize("fusion", ["late", "concat"])
def test_parts_can_be_learned(shop, fusion):
    # Texts name the classes, so the towers must come to know the labels of training items.
    run(shop, **{"catalog.label": "parts", "model.fusion": fusion, "train.steps": 120})
    val = read(shop, "train/metrics.json")["val"]
    assert val["accuracy_fused"] > 0.9


def test_leaves_under_two_paths_are_one_class_from_end_to_end(shop):
    table = (shop.root / "catalog.csv").read_text(encoding="utf-8")
    changed = table.replace(",clothing<dress", ",clothing<boots")
    (shop.root / "catalog.csv").write_text(changed, encoding="utf-8")
    run(shop, **{"catalog.label": "leaf", "graph.of": "leaf"})
    names = ["boots", "jewelry", "sweater"]
    assert read(shop, "graph/classes.json")["classes"] == names
    assert read(shop, "model/model.json")["config"]["num_classes"] == 3
    metrics = read(shop, "evaluate/metrics.json")
    assert metrics["test"]["classes"] == 3
    assert "top3_share" not in metrics
    frame = pd.read_parquet(shop.root / "data/evaluate/embeddings.parquet")
    assert {"clothing<boots", "shoes<boots"} <= set(frame["class_path"])
    # The path of a class is the one with most items, at a tie the first.
    assert set(frame["predicted_path"]) <= {
        "clothing<boots",
        "clothing<knitwear<sweater",
        "jewelry",
    }
