import json

import pandas as pd
import pytest


@pytest.fixture
def other(project):
    """Other words for some groups of the sample, in Google's form."""
    paths = ["Living Things", "Living Things > Animals", "Living Things > Animals > Birds", "Flags"]
    lines = [f"{number} - {path}" for number, path in enumerate(paths, start=1)]
    (project.root / "other.txt").write_text("\n".join(lines), encoding="utf-8")
    return paths


def test_the_table_has_every_node_of_the_own_tree_in_order(project, other):
    result = project.huse("map", "--to", "other.txt", "--out", "mapping.csv", "--k", "2")
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(project.root / "mapping.csv", keep_default_na=False)
    items = pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")
    nodes = {
        tuple(path.split("<")[:depth])
        for path in items["class_path"]
        for depth in range(1, path.count("<") + 2)
    }
    assert frame["class_path"].tolist() == ["<".join(node) for node in sorted(nodes)]
    assert set(frame["other_path"]) | set(frame["other_path_2"]) <= set(other)
    assert frame["other_id"].tolist() == [other.index(path) + 1 for path in frame["other_path"]]
    assert result.stdout == f"map: {len(nodes)} nodes to 4 of other.txt, see mapping.csv\n"


def test_what_a_person_keeps_stays(project, other):
    project.huse("map", "--to", "other.txt", "--out", "mapping.csv")
    table = project.root / "mapping.csv"
    first = pd.read_csv(table, dtype="str", keep_default_na=False)
    last = first.loc[0, "other_path_4"]
    edited = first.copy()
    edited.loc[0, ["decision", "other_path"]] = ["keep", last]
    edited.to_csv(table, index=False)
    said = project.refuse("map", "--to", "other.txt", "--out", "mapping.csv")
    assert said.startswith("--out: mapping.csv has decisions")
    command = ("map", "--to", "other.txt", "--out", "mapping.csv", "--keep", "mapping.csv")
    result = project.huse(*command)
    assert result.exit_code == 0, result.output
    assert "; 1 row kept" in result.stdout
    again = pd.read_csv(table, dtype="str", keep_default_na=False)
    assert again.loc[0, ["decision", "other_path"]].tolist() == ["keep", last]
    assert again.loc[0, "other_path_2"] == first.loc[0, "other_path"]
    assert again.iloc[1:].equals(first.iloc[1:])


def test_the_terminal_and_scripts_are_told_the_same(project, other):
    shown = project.huse("map", "--to", "other.txt")
    assert shown.exit_code == 0, shown.output
    result = project.huse("map", "--to", "other.txt", "--json", "--k", "1")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows[0]["class_path"].split("<")[0].split()[0] in shown.stdout
    assert rows[0]["chosen"]["path"].split()[0] in shown.stdout
    assert all(row["others"] == [] and 0 < row["chosen"]["confidence"] <= 1 for row in rows)
    warning, last = result.stderr.splitlines()
    assert warning.startswith("map: warning: the model's text encoders know the words")
    assert last == f"map: {len(rows)} nodes to 4 of other.txt"


def test_mistakes_are_told(project, other):
    assert project.refuse("map", "--to", "other.txt", "--out", "x.xls").startswith("--out: x.xls")
    assert project.refuse("map", "--to", "missing.txt").startswith("missing.txt: cannot be read")
    assert project.refuse("map", "--to", "other.txt", "--separator", "").startswith("--separator")
    (project.root / "other.txt").write_text("# nothing\n", encoding="utf-8")
    assert project.refuse("map", "--to", "other.txt").startswith("other.txt: no class path in it")
    (project.root / "data" / "features" / "text.parquet").unlink()
    assert "text.parquet: not found" in project.refuse("map", "--to", "other.txt")
