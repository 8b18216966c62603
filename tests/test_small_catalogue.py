"""A hundred rows, as a shop might try first, with texts and gaps as shops have them."""

import json
import shutil
import unicodedata

import numpy as np
import pandas as pd
import pytest

from stages.__main__ import STAGES
from tests.conftest import OF_A_PROJECT, ROOT, TINY
from tests.project import Project

ROWS = 100
WITHOUT_PICTURE = range(20, 28)
UNREADABLE = 40
LONG = "Cut from soft wool by hand. " * 400


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """A project after all stages, and what stage catalog said."""
    project = Project(tmp_path_factory.mktemp("small"))
    for name in OF_A_PROJECT:
        shutil.copy(ROOT / name, project.root)
    # The split as it is shipped; the model small, so that it takes seconds.
    quick = {leaf: value for leaf, value in TINY.items() if leaf != "split.min_class_size"}
    project.set({**quick, "evaluate.projection": "pca"})
    assert project.huse("sample-catalog", "--limit", str(ROWS)).exit_code == 0
    path = project.root / "data" / "raw" / "openmoji" / "catalog.csv"
    table = pd.read_csv(path)
    texts = table["text"].tolist()
    texts[0] = f"<p>{texts[0]}</p><ul><li>size &lt;M&gt;</li></ul>"
    texts[1] = f"{texts[1]} &amp; {LONG}"
    texts[2] = unicodedata.normalize("NFD", f"{texts[2]} crème")
    texts[3] = "\u202bשמלה אדומה\u202c"
    texts[4] = "\U0001f457\u200d\u2640\ufe0f"
    for place, colour in enumerate(("red", "blue", "olive"), start=5):
        texts[place] = f"Runner 3000, {colour}, SKU-90{place}/XL"
    # Of some there is no picture, or one that nothing can read, and of some no text.
    texts[30:38] = [""] * 8
    table = table.assign(text=texts)
    table.loc[WITHOUT_PICTURE, "image"] = ""
    table.loc[UNREADABLE, "image"] = "broken.png"
    (path.parent / "images" / "broken.png").write_bytes(b"no picture")
    table.to_csv(path, index=False)
    said = {}
    for stage in STAGES:
        said[stage] = project.huse(stage)
        assert said[stage].exit_code == 0, f"{stage}\n{said[stage].output}"
    return project, said


@pytest.mark.slow
def test_what_to_expect_of_it_is_said(tried):
    project, said = tried
    out = said["catalog"].stdout
    assert out.startswith(f"catalog: {ROWS} items in ")
    assert "  expect         with " in out
    assert "test and" in out
    assert "markup in 2" in said["catalog"].stderr
    summary = json.loads((project.root / "data/catalog/summary.json").read_text())
    assert summary["items"] == summary["rows"] == ROWS
    assert summary["texts"]["most_words"] > 2000
    assert "UserWarning" not in said["baseline"].stderr


@pytest.mark.slow
def test_its_figures_have_intervals_and_its_texts_are_readable(tried):
    project, _ = tried
    details = (project.root / "data/evaluate/details.json").read_text()
    assert "interval" in details
    items = pd.read_parquet(project.root / "data/catalog/items.parquet")
    texts = items["text"].tolist()
    assert texts[0].endswith("size <M>")
    assert not any("<p>" in text or "&amp;" in text or "\u202b" in text for text in texts)
    report = (project.root / "data/evaluate/report.html").read_text(encoding="utf-8")
    assert LONG.strip() not in report


@pytest.mark.slow
def test_it_can_be_searched_and_classified(tried):
    project, _ = tried
    result = project.huse("search", "Runner 3000 XL")
    assert result.exit_code == 0, result.output
    assert "Runner 3000" in result.stdout
    (project.root / "new.csv").write_text(f"text\n<b>red</b> heart\n{LONG}\n", encoding="utf-8")
    result = project.huse("classify", "new.csv", "--json")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.slow
def test_items_are_everywhere_by_what_they_have(tried):
    project, said = tried
    assert "of 100 items 8 have no picture and 8 have no text" in said["catalog"].stderr
    assert "100 of 100 items can be used, of which 83 have both" in said["train"].stdout
    embeddings = pd.read_parquet(project.root / "data/evaluate/embeddings.parquet")
    assert embeddings["modality"].value_counts().to_dict() == {
        "fused": 100,
        "text": 92,
        "image": 91,
    }
    assert np.isfinite(np.stack(embeddings["vector"])).all()
    items = pd.read_parquet(project.root / "data/catalog/items.parquet")
    lacks = dict(zip(items["item_id"], items[["image", "text"]].eq("").any(axis=1), strict=True))
    outcomes = pd.read_parquet(project.root / "data/evaluate/outcomes.parquet")
    for modality, column in (("image", "image"), ("text", "text")):
        counted = outcomes[f"classification.{modality}.accuracy"].notna()
        without = outcomes["item_id"].map(items.set_index("item_id")[column] == "")
        assert not (counted & without).any()
    assert outcomes["classification.fused.accuracy"].notna().all()
    assert outcomes["item_id"].map(lacks).any(), "the test split has some of them"
    for name in ("metrics", "details"):
        text = (project.root / f"data/evaluate/{name}.json").read_text()
        assert "NaN" not in text
    assert "items without a picture or without a text" in (
        project.root / "data/evaluate/report.html"
    ).read_text(encoding="utf-8")
    listed = pd.read_csv(project.root / "data/catalog/incomplete.csv")
    assert listed["lacks"].tolist() == ["picture"] * 8 + ["text"] * 8
    assert listed["row"].tolist() == [*range(21, 29), *range(31, 39)]
    groups = pd.read_parquet(project.root / "data/catalog/groups.parquet").set_index("item_id")
    for part, number in (("picture", "picture"), ("text", "text"), ("text", "near_text")):
        lacking = groups.loc[listed.loc[listed["lacks"] == part, "item_id"], number]
        assert lacking.is_unique, "items that lack the same share nothing"
    pictures = pd.read_parquet(project.root / "data/catalog/pictures.parquet")
    assert "" not in set(pictures["image"])
    index = pd.read_parquet(project.root / "data/index/items.parquet")
    assert set(index["item_id"]) == set(items["item_id"])


@pytest.mark.slow
def test_an_item_without_a_picture_is_found_by_its_text(tried):
    project, _ = tried
    items = pd.read_parquet(project.root / "data/catalog/items.parquet")
    one = items[items["image"] == ""].iloc[0]
    result = project.huse("search", one["text"], "--json", "--k", "3")
    assert result.exit_code == 0, result.output
    found = {hit["item_id"]: hit for hit in json.loads(result.stdout)["hits"]}
    assert found[one["item_id"]]["image"] == ""
