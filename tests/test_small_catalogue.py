"""A hundred rows, as a shop might try first, with texts as shops have them: every stage runs."""

import json
import shutil
import unicodedata

import pandas as pd
import pytest

from stages.__main__ import STAGES
from tests.conftest import OF_A_PROJECT, ROOT, TINY, Project

ROWS = 100
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
    table.assign(text=texts).to_csv(path, index=False)
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
