import csv
import json
import re

import pandas as pd
import pytest
from safetensors.numpy import load_file

from huse import Huse


def metrics(project):
    path = project.root / "data" / "attributes" / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8"))


def keep_columns(project):
    """Add columns to the table: whether an item is in the largest part of the tree, its number."""
    path = project.root / "data" / "raw" / "openmoji" / "catalog.csv"
    table = pd.read_csv(path)
    first = table["classes"].str.split("<").str[0]
    table["part"] = first.where(first == first.mode()[0], "other")
    table["number"] = range(len(table))
    table.to_csv(path, index=False)
    kept = ["part", "number"]
    project.set({"catalog.columns.keep": kept, "attributes.predict": ["part"]})
    result = project.huse("catalog")
    assert result.exit_code == 0, result.output
    return table


def test_by_default_nothing_is_predicted_and_nothing_is_said(project):
    folder = project.root / "data" / "attributes"
    made_by_dvc = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix[1:]}
    result = project.huse("attributes")
    assert result.stdout == "attributes: none, since attributes.predict is empty\n"
    assert {name: (folder / name).read_bytes() for name in made_by_dvc} == made_by_dvc
    assert metrics(project) == {}
    assert load_file(folder / "heads.safetensors") == {}
    (project.root / "new.csv").write_text("text\nred heart\n", encoding="utf-8")
    result = project.huse("classify", "new.csv", "--out", "classes.csv")
    assert result.exit_code == 0, result.output
    with (project.root / "classes.csv").open(encoding="utf-8") as file:
        assert not [name for name in next(csv.reader(file)) if "attribute" in name]
    assert "attributes" not in project.huse("classify", "new.csv").stdout


def test_kept_columns_are_predicted_of_new_items(project):
    table = keep_columns(project)
    result = project.huse("attributes")
    assert result.exit_code == 0, result.output
    assert re.match(r"attributes: part: image [01]\.\d{3}, text ", result.stdout)
    found = metrics(project)["part"]
    assert list(found) == ["values", "image", "text", "fused"]
    splits = pd.read_parquet(project.root / "data" / "catalog" / "splits.parquet")
    assert found["fused"]["items"] == (splits["split"] == "test").sum()

    items = table.groupby("part").head(2)
    items[["image", "text"]].to_csv(project.root / "new.csv", index=False)
    images = ["--images", "data/raw/openmoji/images"]
    result = project.huse("classify", "new.csv", *images, "--out", "classes.csv")
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(project.root / "classes.csv")
    # Most of these were trained on.
    assert (frame["attribute_part"].to_numpy() == items["part"].to_numpy()).mean() >= 0.5
    assert frame["attribute_part_probability"].between(0, 1).all()
    rows = [
        json.loads(line)
        for line in project.huse("classify", "new.csv", *images, "--json").stdout.splitlines()
    ]
    for row, value in zip(rows, frame["attribute_part"], strict=True):
        assert row["attributes"]["part"]["value"] == value
    shown = project.huse("classify", "new.csv", *images).stdout
    assert "attributes" in shown
    assert shown.count("part:") == len(items)

    model = Huse.load(project.root / "data" / "model", warn=pytest.fail)
    v = model.embed(texts=items["text"].tolist())
    assert [one.attributes for one in model.classify(v)] == model.predict_attributes(v)
    assert "attributes/heads.safetensors" in model.published_files()


def test_what_cannot_be_predicted_is_told(project):
    project.set({"attributes.predict": ["colour"]})
    assert project.refuse("attributes") == (
        "params.yaml: attributes.predict: colour is not in catalog.columns.keep: []; add it there"
    )
    project.set({"catalog.columns.keep": ["colour"]})
    assert project.refuse("attributes") == (
        "data/catalog/attributes.parquet: has no column colour, which attributes.predict names; "
        "run huse catalog again"
    )
    keep_columns(project)
    project.set({"attributes.predict": ["number"]})
    assert project.refuse("attributes").startswith("attributes.predict: number has ")
