import json

import pandas as pd
import pytest


@pytest.fixture
def texts(project):
    items = pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")
    (project.root / "new.csv").write_text(
        "\n".join(["text", *items["text"].head(3), '" "']) + "\n", encoding="utf-8"
    )
    return items["text"].head(3).tolist()


def test_the_terminal_shows_what_was_predicted(project, texts):
    result = project.huse("classify", "new.csv", "--k", "1")
    assert result.exit_code == 0, result.output
    assert all(text.split()[0] in result.stdout for text in texts)
    # A dozen validation items speak for no precision.
    assert "classify: 3 items, 3 review at a precision of 0.95; 1 row rejected" in result.stdout
    rejected, warning = result.stderr.splitlines()
    assert rejected == "classify: row 4 rejected: no image and no text"
    assert "no validation items speak for a precision of 0.95, so no item is filed" in warning


def test_the_terminal_shows_what_nothing_is_near_to(project):
    (project.root / "new.csv").write_text("text\nred heart\nxyzzyx\n", encoding="utf-8")
    result = project.huse("classify", "new.csv", "--k", "1")
    header, *rows = (line.split() for line in result.stdout.splitlines() if line.strip())
    assert header[-1] == "near"
    # Too few validation items for a limit, but no word of the second is known.
    assert [row[-1] for row in rows if row[0] in ("1", "2")] == ["-", "no"]


def test_scripts_get_json_and_nothing_else(project, texts):
    result = project.huse("classify", "new.csv", "--json", "--k", "2")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in rows] == texts
    assert all(len(row["top"]) == 2 for row in rows)
    assert "3 items" in result.stderr


def test_files_hold_the_same(project, texts):
    for ending in ("csv", "json"):
        result = project.huse("classify", "new.csv", "--out", f"classes.{ending}")
        assert result.exit_code == 0, result.output
    frame = pd.read_csv(project.root / "classes.csv", keep_default_na=False)
    rows = json.loads((project.root / "classes.json").read_text(encoding="utf-8"))
    assert frame["path_1"].tolist() == [row["top"][0]["path"] for row in rows]
    assert (project.root / "classes_rejected.csv").is_file()


def test_mistakes_are_told(project, texts):
    assert project.refuse("classify", "new.csv", "--out", "x.xls").startswith("--out: x.xls ends")
    (project.root / "new.csv").write_text("text\n \n", encoding="utf-8")
    assert project.huse("classify", "new.csv").exit_code == 1
    for precision in ("2", "1", "0"):
        assert project.huse("classify", "new.csv", "--precision", precision).exit_code == 2


def test_the_precision_is_that_of_params_or_of_the_option(project, texts):
    project.set({"classify.precision": 0.4, "classify.confidence": 0.5})
    assert "at a precision of 0.4;" in project.huse("classify", "new.csv").stdout
    result = project.huse("classify", "new.csv", "--precision", "0.9")
    assert "at a precision of 0.9;" in result.stdout
    (project.root / "params.yaml").unlink()
    assert "at a precision of 0.95;" in project.huse("classify", "new.csv").stdout
