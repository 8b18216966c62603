import json

import pandas as pd
from PIL import Image

from stages.__main__ import STAGES


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


def test_a_cropped_copy_filed_elsewhere_is_found_and_flat_colours_are_not(project):
    images = project.root / "data/raw/openmoji/images"
    table = pd.read_csv(project.root / "data/raw/openmoji/catalog.csv")
    source = table.iloc[0]
    with Image.open(images / source["image"]) as image:
        picture = Image.new("RGB", image.size, "white")
        picture.paste(image, mask=image.convert("RGBA"))
    picture.crop((12, 8, 210, 214)).save(images / "copy.jpg", quality=70)
    for name, colour in (("grey.png", "#777777"), ("brown.png", "#797571")):
        Image.new("RGB", (96, 96), colour).save(images / name)
    elsewhere = table.loc[table["classes"] != source["classes"], "classes"].iloc[-1]
    added = [
        {"image": "copy.jpg", "text": "another title of it", "classes": elsewhere},
        {"image": "grey.png", "text": "one plain thing", "classes": source["classes"]},
        {"image": "brown.png", "text": "some other matter", "classes": elsewhere},
    ]
    rows = pd.DataFrame(added).assign(group=["copy", "grey", "brown"])
    pd.concat([table, rows]).to_csv(project.root / "data/raw/openmoji/catalog.csv", index=False)
    for stage in STAGES[: STAGES.index("semantic_graph")]:
        assert project.huse(stage).exit_code == 0
    assert project.huse("audit").exit_code == 0
    items = pd.read_parquet(project.root / "data/catalog/items.parquet").set_index("image")
    pairs = pd.read_csv(project.root / "data/audit/pairs.csv")
    near = [{*pair} for pair in pairs[["item_id", "other_id"]].to_numpy().tolist()]
    id_of = items["item_id"]
    assert {id_of["copy.jpg"], id_of[source["image"]]} in near
    assert not any({id_of["grey.png"], id_of["brown.png"]} & pair for pair in near)
    found = pairs[pairs["item_id"].eq(id_of["copy.jpg"]) | pairs["other_id"].eq(id_of["copy.jpg"])]
    assert found["kind"].tolist() == ["near_picture"]
    assert found["tree_distance"].item() > 0
    project.set({"audit.pairs.neighbours": 0})
    assert project.huse("audit").exit_code == 0
    assert "near_picture" not in pd.read_csv(project.root / "data/audit/pairs.csv")["kind"].tolist()
