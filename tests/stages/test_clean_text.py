import json
from importlib.metadata import version

import pyarrow.parquet as pq

from pipeline.core.table import read_metadata
from tests.fresh_process import modules_after


def test_texts_are_cleaned_item_by_item_and_the_recipe_is_noted(shop):
    table = (shop.root / "catalog.csv").read_text(encoding="utf-8")
    table = table.replace("red sweater", "Not the RED sweater (100% wool)").replace(
        "blue ring", "Cafe\u0301 ring"
    )
    (shop.root / "catalog.csv").write_text(table, encoding="utf-8")
    shop.huse("catalog")
    result = shop.huse("clean_text")
    assert result.stdout == "clean_text: 16 texts, 0 of them empty after cleaning\n"
    path = shop.root / "data" / "clean_text" / "text.parquet"
    cleaned = pq.read_table(path).to_pandas()["clean_text"].tolist()
    assert cleaned[0] == "not red sweater wool"
    assert cleaned[11] == "cafe ring"
    noted = read_metadata(path)
    golden = json.loads(noted.pop("golden_text"))
    assert noted == {
        "recipe": "letters",
        "fold_accents": "true",
        "cleaned_with": f"anyascii {version('anyascii')}, stop_words 1",
    }
    assert golden["versions"] == {"anyascii": version("anyascii"), "stop_words": "1"}
    assert golden["clean_text"].startswith("cafe creme sostrene lodz")


def test_texts_without_a_letter_are_counted(shop):
    table = (shop.root / "catalog.csv").read_text(encoding="utf-8")
    (shop.root / "catalog.csv").write_text(table.replace("red dress", "1984"), encoding="utf-8")
    shop.huse("catalog")
    assert "16 texts, 1 of them empty" in shop.huse("clean_text").stdout


def test_a_catalogue_in_russian_is_told_what_to_set(shop):
    table = (shop.root / "catalog.csv").read_text(encoding="utf-8")
    first, *rows = table.splitlines()
    russian = [
        row.replace("red dress", f"красное вечернее платье на каждый день {n}")
        for n in range(20)
        for row in rows
    ]
    (shop.root / "catalog.csv").write_text("\n".join([first, *russian]), encoding="utf-8")
    shop.huse("catalog")
    told = shop.huse("clean_text").stdout.splitlines()
    assert len(told) == 3
    assert "text.sentence.model: packaged/muse_v3" in told[1]
    assert "20 of the empty texts" in told[2]
    assert "clean_text.recipe: unicode" in told[2]
    shop.set({"clean_text.recipe": "unicode"})
    assert len(shop.huse("clean_text").stdout.splitlines()) == 2


def test_torch_is_not_imported(shop):
    """It takes seconds, and this stage is run often."""
    shop.huse("catalog")
    assert "torch" not in modules_after("from stages.clean_text import main; main()", shop.root)
