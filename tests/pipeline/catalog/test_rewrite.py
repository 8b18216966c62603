import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalog.read import read_catalog
from pipeline.catalog.rewrite import name_copy, rewrite_table
from pipeline.catalog.rows import TableForm
from pipeline.core.errors import InputError
from tests.pipeline.catalog.frames import COLUMNS

CSV = (
    "\ufeffid,text, classes ,image\r\n"
    '1,"red, ""fine"" hat",hats,1.jpg\r\n'
    "\r\n"
    "2,  blue  hat ,hats,2.jpg\r\n"
    '3,"over\n two lines",shoes<boots,3.jpg\r\n'
    '4,"stray"quote,hats,4.jpg\r\n'
    "5,too,many,fields,5.jpg\r\n"
    "6,Ärmel,hats,6.jpg"
)


def numbers(path):
    """Class paths by row, as the catalogue reads the table."""
    table = read_catalog(path, COLUMNS)
    return dict(zip(table["row"], table["classes"], strict=True))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_bytes(CSV.replace(" classes ", "classes").encode())
    return path


def test_other_rows_stay_byte_for_byte(table, tmp_path):
    out = tmp_path / "copy.csv"
    before = numbers(table)
    rewrite_table(table, out, "classes", {4: "coats<long, fine", 7: "sleeves"})
    assert numbers(out) == {**before, 4: "coats<long, fine", 7: "sleeves"}
    old, new = table.read_bytes(), out.read_bytes()
    assert new == old.replace(
        b'3,"over\n two lines",shoes<boots,3.jpg',
        b'3,"over\n two lines","coats<long, fine",3.jpg',
    ).replace("6,Ärmel,hats".encode(), "6,Ärmel,sleeves".encode())


def test_a_copy_without_changes_is_the_same_bytes(table, tmp_path):
    rewrite_table(table, tmp_path / "copy.csv", "classes", {})
    assert (tmp_path / "copy.csv").read_bytes() == table.read_bytes()


def test_a_packed_table_is_packed(table, tmp_path):
    packed = tmp_path / "catalog.csv.gz"
    packed.write_bytes(gzip.compress(table.read_bytes()))
    for name in ("one.csv.gz", "other.csv.gz"):
        rewrite_table(packed, tmp_path / name, "classes", {1: "coats"})
    assert numbers(tmp_path / "one.csv.gz") == {**numbers(packed), 1: "coats"}
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "other.csv.gz").read_bytes()


def test_tabs(tmp_path):
    path = tmp_path / "catalog.tsv"
    path.write_text("image\ttext\tclasses\na.jpg\tx, y\thats\nb.jpg\tz\thats\n", encoding="utf-8")
    rewrite_table(path, tmp_path / "copy.tsv", "classes", {2: "shoes"})
    assert (tmp_path / "copy.tsv").read_text(encoding="utf-8") == path.read_text(
        encoding="utf-8"
    ).replace("z\thats", "z\tshoes")


def test_json_lines(tmp_path):
    path = tmp_path / "catalog.jsonl"
    records = [
        {"image": f"{n}.jpg", "text": "Ä\u2028", "classes": "hats", "n": [n]} for n in (1, 2)
    ]
    lines = [json.dumps(record, ensure_ascii=n == 0) for n, record in enumerate(records)]
    path.write_text(f"{lines[0]}\n\n{lines[1]}", encoding="utf-8")
    rewrite_table(path, tmp_path / "copy.jsonl", "classes", {3: "shoes"})
    written = (tmp_path / "copy.jsonl").read_bytes().decode().split("\n")
    assert written[:2] == [lines[0], ""]
    assert json.loads(written[2]) == {**records[1], "classes": "shoes"}
    assert numbers(tmp_path / "copy.jsonl") == {1: "hats", 3: "shoes"}


def test_parquet_keeps_columns_types_and_what_it_says_of_itself(tmp_path):
    path, count = tmp_path / "catalog.parquet", 5000
    table = pa.table(
        {
            "image": [f"{n}.jpg" for n in range(count)],
            "classes": pa.array(["hats", "shoes"] * (count // 2)).dictionary_encode(),
            "text": ["x"] * count,
            "price": pa.array(range(count), pa.int16()),
        }
    ).replace_schema_metadata({"made": "by hand"})
    pq.write_table(table, path, row_group_size=700)
    rewrite_table(path, tmp_path / "copy.parquet", "classes", {1: "a", count: "b"})
    copy = pq.read_table(tmp_path / "copy.parquet")
    assert copy.column_names == table.column_names
    assert copy.schema.metadata == table.schema.metadata
    assert copy.drop(["classes"]).equals(table.drop(["classes"]))
    expected = table["classes"].to_pylist()
    expected[0], expected[-1] = "a", "b"
    assert copy["classes"].to_pylist() == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "cp1252"])
def test_another_encoding_and_delimiter_stay_too(tmp_path, encoding):
    path, form = tmp_path / "catalog.csv", TableForm("cp1252" if encoding == "cp1252" else "utf-8")
    text = "image;text;classes\r\n1.jpg;Größe, 5;hüte\r\n\r\n2.jpg;Öl;hats\r\n"
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path.write_bytes(mark + text.encode(encoding))
    rewrite_table(path, tmp_path / "copy.csv", "classes", {3: "Käppis"}, form)
    changed = text.replace(";hats", ";Käppis")
    assert (tmp_path / "copy.csv").read_bytes() == mark + changed.encode(encoding)


def test_a_value_that_the_encoding_has_no_characters_for_is_refused(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_bytes("image,text,classes\n1.jpg,Größe,hats\n".encode("cp1252"))
    with pytest.raises(
        InputError, match=r"copy\.csv: '帽' of a new value is no character of cp1252"
    ):
        rewrite_table(path, tmp_path / "copy.csv", "classes", {1: "帽"}, TableForm("cp1252"))
    assert not (tmp_path / "copy.csv").exists()


def test_a_sheet_is_copied_as_csv_whose_rows_have_the_same_numbers(tmp_path):
    path = tmp_path / "catalog.xlsx"
    rows = [["image", "ean", "text", "classes"], ["1.jpg", 4006381333931, "Bag, red", "bags"]]
    frame = pd.DataFrame([*rows, [], ["2.jpg", 7.5, "Hat", "hats"]])
    frame.to_excel(path, index=False, header=False)
    copy = name_copy(path, "refiled")
    assert copy == tmp_path / "catalog_refiled.csv"
    rewrite_table(path, copy, "classes", {3: "caps"})
    assert copy.read_text(encoding="utf-8").splitlines() == [
        "image,ean,text,classes",
        '1.jpg,4006381333931,"Bag, red",bags',
        "",
        "2.jpg,7.5,Hat,caps",
    ]
    assert numbers(copy) == {**numbers(path), 3: "caps"}


def test_a_copy_keeps_the_endings_of_its_table():
    assert name_copy(Path("shop/products.csv.gz"), "new") == Path("shop/products_new.csv.gz")


def test_a_folder_is_not_copied(tmp_path):
    with pytest.raises(InputError, match="a folder is not copied; move its pictures"):
        rewrite_table(tmp_path, tmp_path / "copy.csv", "classes", {1: "x"})


def test_the_table_itself_is_never_written_to(table, tmp_path):
    (tmp_path / "link.csv").symlink_to(table)
    before = table.read_bytes()
    for out in (table, tmp_path / "link.csv"):
        with pytest.raises(InputError, match="that is the table itself"):
            rewrite_table(table, out, "classes", {1: "x"})
    assert table.read_bytes() == before
