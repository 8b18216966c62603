from pathlib import Path

import pandas as pd
import pytest

from pipeline.audit.decisions import COLUMNS
from pipeline.catalog.items import make_items
from pipeline.catalog.read import read_catalog
from pipeline.catalog.settings import CatalogSettings
from pipeline.core.errors import InputError
from pipeline.core.params import load_section
from pipeline.pictures.folder import ImageFolder
from pipeline.use.refile import read_fixes, refile
from stages.paths import PARAMS


@pytest.fixture
def shop(tmp_path):
    """Section `catalog` of a small catalogue: two rows say the same of one item."""
    rows = [
        ("1.jpg", "blue  hat", " hats"),
        ("2.jpg", "boots", "shoes<boots"),
        ("./1.jpg", "blue  hat", "hats"),
        ("3.jpg", "gone", "hats"),
    ]
    (tmp_path / "images").mkdir()
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / "images" / name).write_bytes(b"x")
    pd.DataFrame(rows, columns=["image", "text", "classes"]).to_csv(
        tmp_path / "catalog.csv", index=False
    )
    section = load_section(PARAMS, "catalog", CatalogSettings)
    columns = section.columns.model_copy(update={"group": None})
    places = {"path": str(tmp_path / "catalog.csv"), "images": str(tmp_path / "images")}
    # The row without a picture is no item.
    return section.model_copy(update={**places, "columns": columns, "require": "both"})


def item_ids(shop):
    table = read_catalog(shop_path(shop), shop.columns)
    made = make_items(
        table,
        folder(shop),
        separator="<",
        separator_images=shop.columns.separator_images,
        require=shop.require,
        on_bad_row="skip",
        warn=lambda line: None,
    )
    return made.items["item_id"].tolist()


def shop_path(shop):
    return Path(shop.path)


def folder(shop):
    return ImageFolder(shop_path(shop).parent / "images")


def fixes(tmp_path, *rows, columns=("item_id", "decision", "suggested_path")):
    path = tmp_path / "fixes.csv"
    pd.DataFrame(rows, columns=list(columns)).to_csv(path, index=False)
    return path


def test_all_rows_of_an_accepted_item_are_refiled_and_listed(shop, tmp_path):
    hat, boots = item_ids(shop)
    before = shop_path(shop).read_bytes()
    wanted = read_fixes(
        fixes(tmp_path, (hat, "accept", " coats < long "), (boots, "keep", "bags")), "<"
    )
    out, log = tmp_path / "copy.csv", tmp_path / "log.csv"
    done = refile(shop, folder(shop), {**wanted, "0" * 16: "bags"}, out, log)
    assert (done.rows, done.unknown) == (2, ["0" * 16])
    table = read_catalog(out, shop.columns)
    assert table["classes"].tolist() == ["coats<long", "shoes<boots", "coats<long", "hats"]
    assert table["text"].tolist() == ["blue  hat", "boots", "blue  hat", "gone"]
    assert pd.read_csv(log).to_numpy().tolist() == [
        [1, hat, "hats", "coats<long"],
        [3, hat, "hats", "coats<long"],
    ]
    assert shop_path(shop).read_bytes() == before


def test_of_an_item_of_several_rows_all_that_name_its_class_are_refiled(shop, tmp_path):
    rows = [
        ("1.jpg", "hat", "hats", "a"),
        ("2.jpg", "", "", "a"),
        ("2.jpg", "", "hats", "a"),
        ("2.jpg", "", "shoes", "a"),
        ("2.jpg", "boots", "shoes", "b"),
    ]
    columns = ["image", "text", "classes", "product"]
    pd.DataFrame(rows, columns=columns).to_csv(shop_path(shop), index=False)
    shop = shop.model_copy(update={"columns": shop.columns.model_copy(update={"id": "product"})})
    hat, _ = item_ids(shop)
    out, log = tmp_path / "copy.csv", tmp_path / "log.csv"
    assert refile(shop, folder(shop), {hat: "coats"}, out, log).rows == 2
    table = read_catalog(out, shop.columns)
    assert table["classes"].tolist() == ["coats", "", "coats", "shoes", "shoes"]
    assert pd.read_csv(log)["row"].tolist() == [1, 3]


def test_a_path_that_the_user_wrote_counts_before_the_suggested_one(tmp_path):
    columns = ("item_id", "decision", "suggested_path", "new_path")
    rows = [("a", "Accept", "x", "y"), ("b", "accept ", "x", ""), ("c", "", "x", "")]
    rows.append(("d", "skip", "", ""))
    rows.append(("d", "skip", "", ""))
    assert read_fixes(fixes(tmp_path, *rows, columns=columns), "<") == {"a": "y", "b": "x"}


def test_in_a_decisions_file_the_last_decision_about_an_item_counts(tmp_path):
    rows = [
        ("a", "bags", "accept", "hats"),
        ("b", "bags", "accept", "hats"),
        ("a", "bags", "accept", "shoes < flat"),
        ("b", "bags", "keep", ""),
        ("c", "bags", "skip", ""),
    ]
    assert read_fixes(fixes(tmp_path, *rows, columns=COLUMNS), "<") == {"a": "shoes<flat"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", "yes", "x"), r"row 2 \(item a\): decision 'yes' is none of accept, keep, skip"),
        (("a", "accept", ""), r"row 2 \(item a\): accepted, but its class path is empty"),
        (("a", "accept", "x<"), "class path has an empty part"),
        (("first", "accept", "y"), r"row 2 \(item first\): accepted as 'y' and as 'x'"),
    ],
)
def test_what_is_no_decision_is_named(tmp_path, row, message):
    path = fixes(tmp_path, ("first", "accept", "x"), row)
    with pytest.raises(InputError, match=message):
        read_fixes(path, "<")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("item_id", "suggested_path"), "no column decision; it has item_id, suggested_path"),
        (("item_id", "decision"), "no column suggested_path or another of new_path"),
    ],
)
def test_a_missing_column_is_named(tmp_path, columns, message):
    with pytest.raises(InputError, match=message):
        read_fixes(fixes(tmp_path, columns=columns), "<")


def test_no_such_file_and_no_table(tmp_path):
    with pytest.raises(InputError, match=r"fixes\.csv: not found"):
        read_fixes(tmp_path / "fixes.csv", "<")
    (tmp_path / "fixes.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"fixes\.csv: not a readable CSV file"):
        read_fixes(tmp_path / "fixes.csv", "<")
