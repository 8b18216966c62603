import json

import pandas as pd
import pytest

from pipeline.core.table import write_table


def index(project):
    result = project.huse("index")
    assert result.exit_code == 0, result.output
    return json.loads((project.root / "data/index/metrics.json").read_text(encoding="utf-8"))


def test_the_default_is_exact_and_has_every_embedded_item(project):
    figures = json.loads((project.root / "data/index/metrics.json").read_text(encoding="utf-8"))
    embedded = pd.read_parquet(project.root / "data/evaluate/embeddings.parquet")
    items = pd.read_parquet(project.root / "data/index/items.parquet")
    fused = embedded[embedded["modality"] == "fused"].reset_index(drop=True)
    assert items["item_id"].tolist() == fused["item_id"].tolist()
    assert figures["items"] == len(items)
    assert figures["recall_at_10_of_flat"] == 1
    assert figures["words"] > 50
    catalogue = pd.read_parquet(project.root / "data/catalog/items.parquet").set_index("item_id")
    assert items["text"].tolist() == catalogue.loc[items["item_id"], "text"].tolist()


def test_a_graph_is_searched_too_and_its_recall_measured(project):
    project.set({"index.kind": "hnsw", "index.modality": "image"})
    assert 0.5 < index(project)["recall_at_10_of_flat"] <= 1
    description = json.loads((project.root / "data/index/index.json").read_text(encoding="utf-8"))
    assert description["kind"] == "hnsw"
    assert description["modality"] == "image"
    assert project.huse("search", "red heart").exit_code == 0


def test_a_second_run_writes_the_same_bytes(project):
    def content():
        files = (project.root / "data" / "index").rglob("*.*")
        return {path.name: path.read_bytes() for path in files}

    before = content()
    assert {"image.arrow", "text.arrow"} <= set(before)
    index(project)
    assert content() == before


def test_what_is_near_is_stored_with_its_numbers(project):
    project.set({"index.near_share": 0.8})
    result = project.huse("index")
    assert "near is within: images 0." in result.output
    described = json.loads((project.root / "data/index/index.json").read_text(encoding="utf-8"))
    splits = pd.read_parquet(project.root / "data/catalog/splits.parquet")["split"]
    for found in described["near"].values():
        assert found["share"] == 0.8
        assert 0 < found["queries"] <= (splits == "val").sum()
        assert 0 < found["limit"] < 1
    project.set({"index.near_share": 0.98})
    assert "images not calibrated, texts not calibrated" in project.huse("index").output


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"index.words.mode": "bm25"}, "index.words.mode: got 'bm25'"),
        (
            {"index.kind": "ivfpq"},
            "code_bytes: 256 does not divide model.dim 16; choose a divisor of it, such as 16",
        ),
        ({"index.kind": "ivfpq", "index.ivfpq.code_bytes": 8}, "needs at least 256 items"),
        ({"index.kind": "annoy"}, "index.kind: got 'annoy'"),
        ({"index.hnsw.links": 1}, "index.hnsw.links: got 1"),
    ],
)
def test_settings_that_do_not_fit_are_told(project, changed, message):
    project.set(changed)
    assert message in project.refuse("index")


def test_embeddings_of_an_earlier_model_are_refused(project):
    project.set({"train.seed": 1})
    assert project.huse("train").exit_code == 0
    assert "made by another model than data/model; run huse evaluate" in project.refuse("index")


def test_an_embedded_item_that_the_catalogue_lost_is_named(project):
    path = project.root / "data/catalog/items.parquet"
    items = pd.read_parquet(path)
    write_table(path, items.iloc[1:])
    assert project.refuse("index") == (
        f"data/evaluate/embeddings.parquet: item {items['item_id'][0]} is not in "
        "data/catalog/items.parquet; run huse evaluate"
    )


def test_attributes_are_beside_the_items_in_their_order(kept_project):
    folder = kept_project.root / "data/index"
    items, said = (pd.read_parquet(folder / f"{n}.parquet") for n in ("items", "attributes"))
    assert said["item_id"].tolist() == items["item_id"].tolist()
    table = pd.read_csv(kept_project.root / "data/raw/openmoji/catalog.csv").set_index("image")
    assert said["price"].tolist() == table.loc[items["image"], "price"].tolist()


def test_attributes_that_lack_an_item_are_refused(project):
    path = project.root / "data/catalog/attributes.parquet"
    said = pd.read_parquet(path)
    write_table(path, said.iloc[1:])
    assert project.refuse("index") == (
        f"data/catalog/attributes.parquet: item {said['item_id'][0]} is not in it; run huse catalog"
    )
