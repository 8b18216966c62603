import json
import shutil
import tarfile
from collections import Counter

import pandas as pd
import pytest
from PIL import Image

from pipeline.audit.class_findings import find_in_tree
from pipeline.audit.named_class import find_named_classes
from pipeline.audit.shared_content import find_shared
from pipeline.core.counted import counted
from stages.__main__ import STAGES


@pytest.fixture(scope="module")
def products(finished_project, product_archive, tmp_path_factory):
    """Items of 19,629 real products after stage catalog, with what they share."""
    root = tmp_path_factory.mktemp("products")
    with tarfile.open(product_archive) as archive:
        archive.extractall(root, filter="data")
    shutil.copy(finished_project.root / "params.yaml", root)
    project = type(finished_project)(root)
    project.set(
        {
            "catalog.path": "catalog.csv",
            "catalog.images": "images",
            "catalog.columns.group": None,
        }
    )
    result = project.huse("catalog")
    assert result.exit_code == 0, result.output
    tables = (root / "data" / "catalog" / f"{name}.parquet" for name in ("items", "groups"))
    items, shared = map(pd.read_parquet, tables)
    return items, find_shared(items[["item_id", "class_path"]].merge(shared, on="item_id"), "<")


def test_the_stage_writes_what_dvc_has_and_says_how_much(project):
    folder = project.root / "data" / "audit"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "classes.csv",
        "items.csv",
        "languages.csv",
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
        assert f"refile: {counted(len(table.head(1)), 'row')} of" in result.stdout


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


def test_a_jersey_and_a_watch_with_the_same_picture_are_found(products):
    _, pairs = products
    first = pairs[(pairs["kind"] == "picture") & (pairs["tree_distance"] > 0)].iloc[0]
    paths = {"apparel<topwear<tshirts", "accessories<watches<watches"}
    assert {first["class_path"], first["other_path"]} == paths
    # Each item of a group but one makes a pair: 274 groups have a picture in common.
    pictures = pairs[pairs["kind"] == "picture"]
    assert pictures["other_id"].nunique() == 274


def test_titles_that_are_filed_in_several_places_are_found(products):
    _, pairs = products
    apart = pairs[(pairs["kind"] == "text") & (pairs["tree_distance"] > 0)]
    assert (apart["other_id"].nunique(), len(apart)) == (69, 100)


def test_sunglasses_under_cufflinks_are_found(products):
    items, _ = products
    found = find_named_classes(items, "<").merge(items[["item_id", "text"]], on="item_id")
    (one,) = found[found["text"] == "Miami Blues Women Sunglasses"].itertuples()
    assert one.class_path == "accessories<cufflinks<ties and cufflinks"
    assert one.named_path == "accessories<eyewear<sunglasses"


def test_odd_classes_of_a_real_tree_are_found(products):
    items, _ = products
    found = Counter(
        one.kind for one in find_in_tree(map(tuple, items["class_path"].str.split("<")))
    )
    assert found == {"one_item": 24, "only_child": 21, "same_name": 15}


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
