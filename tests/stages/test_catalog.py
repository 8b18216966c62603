import csv
import hashlib
import json
import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HEADER = ["image", "text", "classes"]

# Names with an ampersand, a comma, quotes and accents; paths of one to three parts; pictures
# of two spellings.
ROWS = [
    ("0.png", "Café crème, large", "home<food & drink"),
    ("./1.png", 'The "best" mug', "home<food & drink"),
    ("2.png", "Salt & pepper", "home<food & drink"),
    ("3.png", "Red dress", "clothing<dress, long<evening"),
    ("4.png", "Blue dress", "clothing<dress, long<evening"),
    ("5.png", "Green dress", "clothing<dress, long<evening"),
    ("6.png", "Gold ring", "jewelry"),
    ("7.png", "Silver ring", "jewelry"),
    ("8.png", "Pearl ring", "jewelry"),
]


def write_rows(path, rows, header=HEADER, delimiter=",", encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])


def write_csv_with_mark(path, header):
    write_rows(path, ROWS, header, encoding="utf-8-sig")


def write_tsv(path, header):
    write_rows(path, ROWS, header, delimiter="\t")


def write_semicolons(path, header):
    write_rows(path, ROWS, header, delimiter=";", encoding="utf-16")


def write_excel(path, header):
    pd.DataFrame(ROWS, columns=header).to_excel(path, index=False)


def write_parquet(path, header):
    columns = [pa.array(column) for column in zip(*ROWS, strict=True)]
    pq.write_table(pa.Table.from_arrays(columns, names=header), path)


def write_json_lines(path, header):
    lines = [json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) for row in ROWS]
    path.write_text("\n".join(lines), encoding="utf-8")


def artifact(shop, name):
    return pq.read_table(shop.root / "data" / "catalog" / name).to_pandas()


@pytest.mark.parametrize("text_column", ["text", "name"])
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("mine.csv", write_csv_with_mark),
        ("mine.tsv", write_tsv),
        ("mine.parquet", write_parquet),
        ("mine.jsonl", write_json_lines),
        ("mine.xlsx", write_excel),
        ("mine.csv", write_semicolons),
    ],
)
def test_a_catalogue_in_any_format_needs_its_columns_named_and_no_more(
    shop, name, write, text_column
):
    write(shop.root / name, ["image", text_column, "classes"])
    shop.set({"catalog.path": name, "catalog.columns.text": text_column})
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("catalog: 9 items in 3 classes (train ")
    items = artifact(shop, "items.parquet")
    assert items["image"].tolist() == [f"{number}.png" for number in range(9)]
    assert items["text"].tolist() == [text for _, text, _ in ROWS]
    assert items["class_path"].tolist() == [path for _, _, path in ROWS]


def test_absolute_paths_are_taken_as_they_are(shop, tmp_path):
    shop.set(
        {
            "catalog.path": str(shop.root / "catalog.csv"),
            "catalog.images": str(shop.root / "pictures"),
        }
    )
    (tmp_path / "elsewhere").mkdir()
    (shop.root / "params.yaml").rename(tmp_path / "elsewhere" / "params.yaml")
    result = type(shop)(tmp_path / "elsewhere").huse("catalog")
    assert result.exit_code == 0, result.output


def test_one_picture_under_two_names_never_straddles_the_split(shop):
    table = pd.read_csv(shop.root / "catalog.csv")
    for name in table["image"]:
        shutil.copy(shop.root / "pictures" / name, shop.root / "pictures" / f"copy-{name}")
    copies = table.assign(image="copy-" + table["image"], text=table["text"] + " again")
    pd.concat([table, copies]).to_csv(shop.root / "catalog.csv", index=False)
    for seed in range(3):
        shop.set({"split.seed": seed})
        assert shop.huse("catalog").exit_code == 0
        split = artifact(shop, "splits.parquet")["split"].tolist()
        assert split[:16] == split[16:]
    groups = artifact(shop, "groups.parquet")
    assert groups["picture"].tolist()[:16] == groups["picture"].tolist()[16:]
    assert groups["picture"].nunique() == groups["group"].nunique() == 16


def test_pictures_are_listed_by_content(shop):
    (shop.root / "pictures" / "3.png").write_bytes(b"")
    assert shop.huse("catalog").exit_code == 0
    pictures = artifact(shop, "pictures.parquet")
    assert list(pictures) == ["image", "digest"]
    assert pictures["image"].tolist() == sorted(f"{number}.png" for number in range(16))
    for image, digest in pictures.itertuples(index=False):
        content = (shop.root / "pictures" / image).read_bytes()
        assert digest == (hashlib.sha256(content).hexdigest() if content else "")
    assert list(artifact(shop, "items.parquet")) == ["item_id", "image", "text", "class_path"]


def test_a_ready_made_split_is_kept(shop):
    names = ["train"] * 8 + ["val"] * 4 + ["test"] * 4
    table = pd.read_csv(shop.root / "catalog.csv").assign(part=names)
    table.to_csv(shop.root / "catalog.csv", index=False)
    shop.set({"catalog.columns.split": "part"})
    assert shop.huse("catalog").exit_code == 0
    assert artifact(shop, "splits.parquet")["split"].tolist() == names


def test_a_catalogue_may_have_no_test_split(shop):
    shop.set({"split.test": 0})
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    assert "(train 12, val 4, test 0)" in result.stdout
    assert set(artifact(shop, "splits.parquet")["split"]) == {"train", "val"}


def test_a_ready_made_split_that_divides_a_product_is_told(shop):
    names = ["train", "test"] * 6 + ["val", "test"] * 2
    table = pd.read_csv(shop.root / "catalog.csv").assign(part=names, model="m")
    table.loc[4:, "model"] = ""
    table.to_csv(shop.root / "catalog.csv", index=False)
    shop.set({"catalog.columns.split": "part", "catalog.columns.group": "model"})
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith(
        "catalog: warning: catalog.columns.split: the ready-made split divides 1 set of items"
    )
    assert "2 of 8 test items (25.0%)" in result.stderr


def test_a_class_may_be_the_last_part_of_its_path(shop):
    shop.set({"catalog.label": "leaf"})
    assert shop.huse("catalog").exit_code == 0
    classes = json.loads((shop.root / "data/catalog/classes.json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in classes["classes"]] == [
        "boots",
        "dress",
        "jewelry",
        "sweater",
    ]


def test_unusable_rows_are_listed_with_reasons_and_counted(shop):
    broken = [
        ("nowhere.png", "Red cap", "clothing"),
        ("0.png", " ", "clothing"),
        ("1.png", "Red cap", ""),
        ("2.png", "Red cap", "clothing<<caps"),
        ("../catalog.csv", "Red cap", "clothing"),
    ]
    write_rows(shop.root / "catalog.csv", [*ROWS, *broken, ROWS[0]])
    shop.set({"catalog.require": "both"})
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    assert "6 rows rejected, see data/catalog/rejected.csv" in result.stdout
    rejected = pd.read_csv(shop.root / "data" / "catalog" / "rejected.csv")
    assert rejected["row"].tolist() == [10, 11, 12, 13, 14, 15]
    assert rejected["reason"].tolist() == [
        "image not found in the folder catalog.images",
        "text is empty",
        "class path is empty",
        "class path has an empty part",
        "image lies outside the folder catalog.images",
        "duplicate of row 1",
    ]
    assert len(artifact(shop, "items.parquet")) == len(ROWS)


@pytest.mark.parametrize("on_bad_row", ["skip", "error"])
def test_a_placeholder_picture_is_listed_and_its_rows_are_rejected(shop, on_bad_row):
    table = pd.read_csv(shop.root / "catalog.csv")
    table.loc[4:7, "image"] = "4.png"
    table.loc[8:11, "text"] = "Gift card"
    table.to_csv(shop.root / "catalog.csv", index=False)
    changed = {"placeholders.classes": 4, "on_bad_row": on_bad_row, "require": "both"}
    shop.set({f"catalog.{key}": value for key, value in changed.items()})
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("taken for a placeholder") == 2
    assert "12 items" in result.stdout
    assert "4 rows rejected" in result.stdout
    rejected = pd.read_csv(shop.root / "data/catalog/rejected.csv")
    assert rejected["row"].tolist() == [5, 6, 7, 8]
    assert rejected["reason"].str.startswith("image is a placeholder: 4 items of 4 classes").all()
    listed = pd.read_csv(shop.root / "data/catalog/placeholders.csv")
    assert listed.to_numpy().tolist() == [
        ["picture", "4.png", 4, 4, "clothing<dress", 5],
        ["text", "Gift card", 4, 4, "clothing<dress", 9],
    ]
    groups = artifact(shop, "groups.parquet")
    assert groups["group"].is_unique, "no set of items that are called gift card"
    assert groups["text"].duplicated().sum() == 3, "to a text the same text is no find all the same"
    assert len(artifact(shop, "items.parquet")) == 12


def test_an_unusable_row_stops_where_asked_to(shop):
    write_rows(shop.root / "catalog.csv", [*ROWS, ("nowhere.png", "Red cap", "clothing")])
    shop.set({"catalog.on_bad_row": "error"})
    message = shop.refuse("catalog")
    assert "row 10 (image 'nowhere.png') cannot be used" in message
    assert "catalog.on_bad_row" in message
    assert not (shop.root / "data").exists()


def test_a_missing_catalogue_is_named(shop):
    shop.set({"catalog.path": "nowhere/mine.csv"})
    assert shop.refuse("catalog") == "catalog.path: nowhere/mine.csv not found"


def test_a_missing_picture_folder_is_named(shop):
    shop.set({"catalog.images": "nowhere/pictures"})
    assert shop.refuse("catalog").startswith("catalog.images: nowhere/pictures not found")


@pytest.mark.parametrize("role", ["image", "text", "classes", "group", "split"])
def test_a_missing_column_is_named_with_the_columns_that_there_are(shop, role):
    shop.set({f"catalog.columns.{role}": "colour"})
    hint = "; set the key to null if there is none" * (role in ("group", "split"))
    assert shop.refuse("catalog") == (
        f"catalog.columns.{role}: no column 'colour' in catalog.csv; it has image, text, classes"
        f"{hint}"
    )


def test_no_usable_row_left_tells_the_most_frequent_reason(shop):
    write_rows(shop.root / "catalog.csv", [(f"{n}.jpg", text, path) for n, text, path in ROWS])
    shop.set({"catalog.require": "both"})
    message = shop.refuse("catalog")
    assert message.startswith(
        "catalog: none of 9 rows can be used; most often (9 times): image not"
    )


def test_a_catalogue_without_rows_is_told(shop):
    write_rows(shop.root / "catalog.csv", [])
    assert shop.refuse("catalog") == "catalog.path: catalog.csv has column names but no rows"


def test_a_single_class_is_told(shop):
    write_rows(shop.root / "catalog.csv", [(*row[:2], "clothing<dress") for row in ROWS])
    message = shop.refuse("catalog")
    assert message.startswith("catalog: all items are of one class, 'clothing<dress'; at least two")


def test_too_few_items_for_three_splits_is_told(shop):
    shop.set({"split.min_class_size": 100})
    assert shop.refuse("catalog").startswith("split: no items for val: ")


def test_a_mistake_leaves_the_last_artifacts_alone(shop):
    assert shop.huse("catalog").exit_code == 0
    before = (shop.root / "data/catalog/items.parquet").read_bytes()
    shop.set({"catalog.columns.text": "colour"})
    shop.refuse("catalog")
    assert (shop.root / "data/catalog/items.parquet").read_bytes() == before


@pytest.mark.parametrize("mark", [">", "/", "|"])
def test_paths_that_something_else_joins_are_warned_of(shop, mark):
    assert shop.huse("catalog").stderr == ""
    lines = (shop.root / "catalog.csv").read_text(encoding="utf-8").replace("<", f" {mark} ")
    (shop.root / "catalog.csv").write_text(lines, encoding="utf-8")
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    assert result.stderr == (
        "catalog: warning: catalog.separator: none of 4 class paths contains '<'; "
        f"3 have '{mark}', which is perhaps what joins them\n"
    )


def test_a_catalogue_without_a_hierarchy_is_told_what_that_means(shop):
    rows = [(image, text, path.partition("<")[0]) for image, text, path in ROWS]
    rows = [(image.rpartition("/")[2], *rest) for image, *rest in rows]
    write_rows(shop.root / "catalog.csv", rows)
    stderr = shop.huse("catalog").stderr
    assert "none of 3 class paths contains '<'; right if they have no hierarchy" in stderr
