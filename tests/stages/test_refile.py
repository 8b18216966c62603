import pandas as pd


def test_an_accepted_title_is_refiled_in_a_copy(project):
    items = pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")
    chosen = items.iloc[0]
    pd.DataFrame(
        [(chosen["item_id"], "accept", "new<place"), ("f" * 16, "accept", "new<place")],
        columns=["item_id", "decision", "suggested_path"],
    ).to_csv(project.root / "fixes.csv", index=False)
    before = pd.read_csv(project.root / "data/raw/openmoji/catalog.csv")
    result = project.huse("refile", "fixes.csv")
    assert result.exit_code == 0, result.output
    assert "refile: 1 row of data/raw/openmoji/catalog.csv changed in " in result.stdout
    assert result.stderr == (
        f"refile: warning: 1 item of fixes.csv not in the catalogue any more "
        f"(refiled before, or gone), such as {'f' * 16}\n"
    )
    folder = project.root / "data" / "raw" / "openmoji"
    copy, log = (pd.read_csv(folder / f"catalog_refiled{end}.csv") for end in ("", "_log"))
    (row,) = log.itertuples(index=False)
    assert (row.item_id, row.new_path) == (chosen["item_id"], "new<place")
    before.loc[row.row - 1, "classes"] = "new<place"
    assert copy.equals(before)


def test_without_a_list_the_decisions_of_the_project_are_taken(project):
    items = pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")
    first, second = items["item_id"].head(2)
    (project.root / "decisions.csv").write_text(
        "item_id,class_path,decision,new_path\n"
        f"{first},old,accept,new<place\n{second},old,accept,new<place\n{second},old,keep,\n"
    )
    result = project.huse("refile")
    assert result.exit_code == 0, result.output
    log = pd.read_csv(project.root / "data/raw/openmoji/catalog_refiled_log.csv")
    assert set(log["item_id"]) == {first}
    again = project.huse("refile", "decisions.csv", "--out", "again.csv")
    assert again.stdout.replace("again", "data/raw/openmoji/catalog_refiled") == result.stdout


def test_a_mistake_in_the_fixes_writes_nothing(project):
    (project.root / "fixes.csv").write_text("item_id,decision,suggested_path\na,yes,b\n")
    assert "decision 'yes' is none of" in project.refuse("refile", "fixes.csv")
    assert not list(project.root.glob("data/raw/**/*refiled*"))
