import json

import pandas as pd


def test_the_stage_writes_what_dvc_has_and_says_how_much(project):
    folder = project.root / "data" / "audit"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "classes.csv",
        "items.csv",
        "pairs.csv",
        "report.html",
        "summary.json",
        "titles.csv",
    ]
    made_by_dvc = {name: (folder / name).read_bytes() for name in names}
    result = project.huse("audit")
    assert result.exit_code == 0, result.output
    assert {name: (folder / name).read_bytes() for name in names} == made_by_dvc
    summary = json.loads(made_by_dvc["summary.json"])
    items = pd.read_csv(folder / "items.csv")
    assert len(items) == summary["suspects"]
    assert result.stdout.startswith(f"audit: {summary['suspects']} item")
    catalogue = pd.read_parquet(project.root / "data/catalog/items.parquet")
    assert summary["items"] == len(catalogue)
    assert set(items["item_id"]) <= set(catalogue["item_id"])


def test_too_few_products_for_the_folds_is_one_line(project):
    path = project.root / "data/catalog/groups.parquet"
    groups = pd.read_parquet(path)
    groups.assign(product=groups["product"] % 5).to_parquet(path, index=False)
    message = project.refuse("audit")
    assert message.startswith("audit.items.folds: 5 products are too few for 5 folds")


def test_a_mistake_in_its_section_is_one_line(project):
    project.set({"audit.items.folds": 1})
    assert "audit.items.folds" in project.refuse("audit")


def test_what_is_listed_can_be_refiled(project):
    folder = project.root / "data" / "audit"
    pairs = pd.read_csv(folder / "pairs.csv")
    titles = pd.read_csv(folder / "titles.csv")
    for name, table in (("pairs", pairs), ("titles", titles)):
        table.head(1).assign(decision="accept").to_csv(project.root / f"{name}.csv", index=False)
        result = project.huse("refile", f"{name}.csv", "--out", f"{name}_copy.csv")
        assert result.exit_code == 0, result.output
        assert f"refile: {len(table.head(1))} row" in result.stdout


def test_a_decision_makes_the_next_run_list_less(project):
    before = pd.read_csv(project.root / "data" / "audit" / "items.csv")
    first, second = before.head(2).itertuples()
    (project.root / "decisions.csv").write_text(
        "item_id,class_path,decision,new_path\n"
        f"{first.item_id},{first.path},keep,\n"
        f"{second.item_id},{second.path},accept,{second.suggested_path}\n"
    )
    assert "audit:\n\tchanged deps:\n\t\tmodified:           decisions.csv" in project.succeed(
        "dvc", "status"
    )
    result = project.huse("audit")
    assert "(1 known to be right and 1 waiting for huse refile are left out)" in result.stdout
    after = pd.read_csv(project.root / "data" / "audit" / "items.csv")
    assert {first.item_id, second.item_id}.isdisjoint(after["item_id"])
    summary = json.loads((project.root / "data" / "audit" / "summary.json").read_text())
    assert (summary["known_right"], summary["waiting_for_refile"]) == (1, 1)


def test_a_decisions_file_that_is_not_there_is_one_line(project):
    (project.root / "decisions.csv").unlink()
    assert "audit.decisions: decisions.csv not found" in project.refuse("audit")
