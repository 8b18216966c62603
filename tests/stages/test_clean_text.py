import json
from importlib.metadata import version

import pyarrow.parquet as pq
import pytest

from pipeline.core.table import read_metadata
from pipeline.use.featurizer import TextFeaturizer
from tests.feature_tables import read_vectors
from tests.fresh_process import modules_after


def test_texts_are_cleaned_item_by_item_and_the_recipe_is_noted(shop):
    table = (shop.root / "catalog.csv").read_text(encoding="utf-8")
    table = table.replace("red sweater", "Not the RED sweater (100% wool)").replace(
        "blue ring", "Cafe\u0301 ring"
    )
    (shop.root / "catalog.csv").write_text(table, encoding="utf-8")
    shop.huse("catalog")
    result = shop.huse("clean_text")
    assert result.stdout == "clean_text: 16 texts, none of them empty after cleaning\n"
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


def test_boilerplate_is_left_out_told_and_kept_for_new_texts(shop):
    """A shop of which most texts end alike, over classes that have hardly anything in common."""
    first, *rows = (shop.root / "catalog.csv").read_text(encoding="utf-8").splitlines()
    classes = ["a<b", "a<c", "d<e", "d<f", "g<h"]
    table = [first]
    for n in range(60):
        end = " Free shipping on all orders!" if n % 4 else ""
        table.append(f"{rows[n % 16].split(',')[0]},Thing number {n}.{end},{classes[n % 5]}")
    (shop.root / "catalog.csv").write_text("\n".join(table), encoding="utf-8")
    # Sixteen pictures would make as many products of them.
    shop.set({"split.keep_together": ["group", "text"], "split.min_class_size": 1})
    shop.set({"text.encoders": ["glove", "sentence"]})
    assert shop.huse("catalog").exit_code == 0
    told = shop.huse("clean_text").stdout.splitlines()
    assert told[1] == (
        "clean_text: 1 sentence that many products of unlike classes share "
        "(clean_text.boilerplate) left out of 45 texts: 'free shipping on all orders' "
        "(22 training texts)"
    )
    cleaned = pq.read_table(shop.root / "data/clean_text/text.parquet")["clean_text"].to_pylist()
    assert set(cleaned) == {"thing number"}
    for command in ("text_block", "text_features"):
        result = shop.huse(command)
        assert result.exit_code == 0, result.output
    # Encoders of either input are given the texts without it, and new texts are treated alike.
    featurizer = TextFeaturizer.load(shop.root / "data/features/text_encoder")
    items = pq.read_table(shop.root / "data/catalog/items.parquet").to_pandas()
    row_of = {text: n for n, text in enumerate(items["text"])}
    for name, block in featurizer.encode(["Thing number 5. FREE shipping on all orders"]).items():
        stored = read_vectors(shop.root / f"data/text_blocks/{name}/block.parquet", name)[1]
        plain = featurizer.encode(["Thing number 5."])[name]
        row = row_of["Thing number 5. Free shipping on all orders!"]
        assert block == pytest.approx(plain, abs=1e-6)
        assert block[0] == pytest.approx(stored[row], abs=1e-5)
        assert featurizer.encode_block(name, ["Thing number 5."]) == pytest.approx(plain, abs=1e-6)
    shop.set({"clean_text.boilerplate": 1.0})
    assert len(shop.huse("clean_text").stdout.splitlines()) == 1


def test_test_items_do_not_say_what_is_left_out(shop):
    """Neither their texts nor their classes do: a sentence of theirs alone is no boilerplate."""
    first, *rows = (shop.root / "catalog.csv").read_text(encoding="utf-8").splitlines()
    classes = ["a<b", "a<c", "d<e", "d<f", "g<h"]
    table = [f"{first},split"]
    for n in range(90):
        split = ("train", "val", "test")[n % 3]
        # By the classes of all items this would be of unlike ones, by those of training of one.
        path = classes[n // 3 % 5] if split != "train" else "a<b"
        mine = {"train": "Made by our own hands.", "test": "Free shipping on all orders."}
        ends = f"{mine.get(split, '')} {'' if split == 'train' else mine['train']}"
        table.append(f"{rows[n % 16].split(',')[0]},Thing number {n}. {ends},{path},{split}")
    for n, path in enumerate(classes):
        table.append(f"{rows[n].split(',')[0]},Other number {n}.,{path},train")
    (shop.root / "catalog.csv").write_text("\n".join(table), encoding="utf-8")
    shop.set({"split.keep_together": ["group", "text"], "split.min_class_size": 1})
    shop.set({"catalog.columns.split": "split"})
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    result = shop.huse("clean_text")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 1


def test_torch_is_not_imported(shop):
    """It takes seconds, and this stage is run often."""
    shop.huse("catalog")
    assert "torch" not in modules_after("from stages.clean_text import main; main()", shop.root)
