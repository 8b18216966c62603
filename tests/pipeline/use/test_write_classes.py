import json

import pandas as pd
import pytest

from huse import Huse
from pipeline.core.errors import InputError
from pipeline.decide.settings import ClassifySettings
from pipeline.model.description import PROBABILITIES
from pipeline.use.new_items import read_items
from pipeline.use.write_classes import classified_writer, classify_table

SETTINGS = ClassifySettings(precision=0.3, confidence=0.5, decide="hf_beta", beta=1.0)


def classify(huse, table, folder, write, k=2, settings=SETTINGS):
    refused = []
    batches = read_items(huse, table, folder, {})
    counts, _ = classify_table(huse, batches, write, refused.extend, k=k, settings=settings)
    return counts, refused


@pytest.fixture
def rows(huse, table, picture_folder):
    found = []
    counts, refused = classify(huse, table, picture_folder, found.extend)
    assert counts == (3, 4)
    assert [bad.row for bad in refused] == [4, 5, 6, 7]
    return found


def test_predictions_are_those_of_the_library(huse, picture_folder, picture_names, rows):
    wanted = huse.classify(
        huse.embed(
            [picture_folder / picture_names[0], None, picture_folder / picture_names[1]],
            ["red heart", "blue heart", None],
        ),
        k=2,
        precision=0.3,
        confidence=0.5,
        decide="hf_beta",
    )
    for row, prediction in zip(rows, wanted, strict=True):
        assert [guess.path for guess in row.prediction.top] == [g.path for g in prediction.top]
        assert row.prediction.state == prediction.state
        assert row.prediction.decided.path == prediction.decided.path
        assert row.prediction.decided.probability == pytest.approx(
            prediction.decided.probability, abs=1e-5
        )


def test_the_towers_run_once_for_what_is_asked(huse, table, picture_folder, asked_of_the_towers):
    """The embeddings are nothing that a class needs."""
    classify(huse, table, picture_folder, lambda rows: None)
    assert asked_of_the_towers == [PROBABILITIES]


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_json_has_every_row(huse, table, picture_folder, tmp_path, rows, ending):
    out = tmp_path / f"classes.{ending}"
    with classified_writer(out, 2) as write:
        classify(huse, table, picture_folder, write)
    text = out.read_text(encoding="utf-8")
    read = json.loads(text) if ending == "json" else [json.loads(x) for x in text.splitlines()]
    assert read == [row.as_json() for row in rows]
    assert read[1]["text"] == "blue heart"
    first = ["row", "image", "text", "state", "filed", "decided"]
    assert list(read[1]) == [*first, "top", "near", "distance", "limit", "attributes"]


def test_csv_has_a_column_for_every_guess(huse, table, picture_folder, tmp_path, rows):
    out = tmp_path / "classes.csv"
    with classified_writer(out, 2) as write:
        classify(huse, table, picture_folder, write)
    frame = pd.read_csv(out, keep_default_na=False)
    assert frame["row"].tolist() == [1, 2, 3]
    assert frame["path_2"].tolist() == [row.prediction.top[1].path for row in rows]
    assert frame["decided_probability"].tolist() == pytest.approx(
        [row.prediction.decided.probability for row in rows]
    )
    assert frame["state"].tolist() == [row.state for row in rows]
    assert frame["filed_path"].tolist() == [row.filed.path if row.filed else "" for row in rows]


def test_every_row_says_whether_anything_is_near(shipped_project, tmp_path):
    huse = Huse.load(shipped_project.root / "data" / "model")
    table = tmp_path / "new.csv"
    table.write_text("text\nsad cat\nhydrochloric acid titration\n", encoding="utf-8")
    with classified_writer(tmp_path / "out.csv", 1) as write:
        classify(huse, table, tmp_path, write, k=1)
    frame = pd.read_csv(tmp_path / "out.csv")
    # What is like nothing in the catalogue is no class of it, however sure the classifier is.
    assert frame["state"].tolist() == ["filed above", "unknown"]
    assert frame["filed_path"].isna().tolist() == [False, True]
    assert list(frame.columns[-3:]) == ["near", "distance", "limit"]
    assert frame["near"].tolist() == [True, False]
    assert (frame["near"] == (frame["distance"] <= frame["limit"])).all()


@pytest.mark.parametrize(("ending", "content"), [("json", "[\n\n]\n"), ("jsonl", "\n")])
def test_no_rows_are_still_valid(tmp_path, ending, content):
    with classified_writer(tmp_path / f"x.{ending}", 2):
        pass
    assert (tmp_path / f"x.{ending}").read_text(encoding="utf-8") == content


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"--out: .* ends in none of"):
        classified_writer(tmp_path / "x.xlsx", 2).__enter__()
