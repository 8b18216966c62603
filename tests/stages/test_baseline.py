import json

import pandas as pd


def test_every_test_item_is_classified_and_the_summary_says_what_was_fitted_on(project):
    path = project.root / "data" / "baseline" / "predictions.parquet"
    made_by_dvc = path.read_bytes()
    result = project.huse("baseline")
    assert result.exit_code == 0, result.output
    assert path.read_bytes() == made_by_dvc
    splits = pd.read_parquet(project.root / "data" / "catalog" / "splits.parquet")
    items = pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")
    found = pd.read_parquet(path)
    tested = splits.loc[splits["split"] == "test", "item_id"]
    assert found["item_id"].tolist() == tested.tolist()
    names = {
        entry["name"]
        for entry in json.loads((project.root / "data/catalog/classes.json").read_text())["classes"]
    }
    assert set(found[["image", "text", "fused"]].to_numpy().flatten()) <= names
    true = items.set_index("item_id").loc[tested, "class_path"].to_numpy()
    details = json.loads((project.root / "data/evaluate/details.json").read_text())
    for modality in ("image", "text", "fused"):
        assert details["baseline"][modality]["baseline"] == (found[modality] == true).mean()
    train = (splits["split"] == "train").sum()
    assert result.stdout == (
        f"baseline: logistic regression fitted on {train} of {train} training items\n"
    )
    project.set({"evaluate.baseline": 30})
    assert f"fitted on 30 of {train} training items" in project.huse("baseline").stdout
    project.set({"evaluate.baseline": 0})
    assert project.huse("baseline").stdout.startswith(
        "baseline: none, since evaluate.baseline is 0"
    )
