import gzip
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

from pipeline.catalog.read import open_rows, read_catalog
from pipeline.catalog.rows import TableForm
from pipeline.core.errors import InputError
from pipeline.features.classes import make_classes
from tests.pipeline.catalog.frames import COLUMNS

ROWS = [
    ("1.jpg", "Chloé  Rylee boots", "shoes<boots"),
    ("b&w/2.jpg", 'aeydē "Dahlia", black & white', "shoes"),
    ("3.jpg", "Two\nlines", "bags<totes<large"),
]
NETAPORTER = Path(__file__).parents[4] / "shared" / "data" / "netaporter-text.csv"


def write(path, frame):
    ending = "".join(path.suffixes)
    if ending.startswith((".csv", ".tsv", ".tab")):
        frame.to_csv(path, index=False, sep="," if ending.startswith(".csv") else "\t")
    elif ending.startswith((".jsonl", ".ndjson")):
        frame.to_json(path, orient="records", lines=True)
    elif ending == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("text", ["text", "name"])
@pytest.mark.parametrize(
    "ending",
    [
        "csv",
        "CSV",
        "csv.gz",
        "tsv",
        "tsv.gz",
        "tab",
        "jsonl",
        "jsonl.gz",
        "ndjson",
        "parquet",
        "pq",
        "xlsx",
    ],
)
def test_every_format_gives_the_same_frame(tmp_path, ending, text):
    frame = pd.DataFrame(ROWS, columns=["image", text, "classes"])
    path = write(tmp_path / f"catalog.{ending.lower()}", frame)
    path = path.rename(tmp_path / f"catalog.{ending}")
    read = read_catalog(path, COLUMNS.model_copy(update={"text": text}))
    assert list(read.columns) == ["row", "image", "text", "classes", "reason"]
    expected = [(number, *row, "") for number, row in enumerate(ROWS, start=1)]
    assert list(read.itertuples(index=False, name=None)) == expected


def test_group_and_split_are_read_where_asked_for(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("image,text,classes,model,part\n1.jpg,Bag,bags,m1,dev\n2.jpg,Hat,hats,,test\n")
    read = read_catalog(path, COLUMNS.model_copy(update={"group": "model", "split": "part"}))
    assert read["group"].tolist() == ["m1", ""]
    assert read["split"].tolist() == ["dev", "test"]


@pytest.mark.parametrize("header", ["image,text,classes", '"image","text","classes"'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_does_not_matter(tmp_path, header, encoding, end):
    path = tmp_path / "catalog.csv"
    path.write_bytes(f"{header}{end}1.jpg,Chloé,bags{end}".encode(encoding))
    assert read_catalog(path, COLUMNS)["text"].tolist() == ["Chloé"]
    assert read_catalog(path, COLUMNS)["image"].tolist() == ["1.jpg"]


def test_a_byte_order_mark_before_json_does_not_matter(tmp_path):
    path = tmp_path / "catalog.jsonl"
    path.write_text(
        '{"image": "1.jpg", "text": "Chloé", "classes": "bags"}\n', encoding="utf-8-sig"
    )
    assert read_catalog(path, COLUMNS)["text"].tolist() == ["Chloé"]


def test_a_malformed_line_is_handed_on_with_its_row_and_reason(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("image,text,classes\n1.jpg,Bag,bags\n2.jpg,Hat\n3.jpg,Boot,shoes\n")
    read = read_catalog(path, COLUMNS)
    assert read["row"].tolist() == [1, 2, 3]
    assert (read["reason"] != "").tolist() == [False, True, False]


@pytest.mark.parametrize("name", ["catalog.csv", "catalog.tsv", "catalog.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n\r\n"])
def test_an_empty_file_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"catalog.path: .*{name} is empty"):
        read_catalog(path, COLUMNS)


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "xlsx"])
def test_a_file_without_rows_is_refused(tmp_path, ending):
    frame = pd.DataFrame({"image": [], "text": [], "classes": []}, dtype="str")
    with pytest.raises(InputError, match="has column names but no rows"):
        read_catalog(write(tmp_path / f"catalog.{ending}", frame), COLUMNS)


@pytest.mark.parametrize("name", ["catalog.ods", "catalog", "catalog.parquet.gz", "catalog.gz"])
def test_an_unknown_ending_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=r"none of the known endings: \.csv, \.tsv"):
        read_catalog(tmp_path / name, COLUMNS)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"catalog\.path: .*nowhere\.csv not found"):
        read_catalog(tmp_path / "nowhere.csv", COLUMNS)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a folder, not a file"):
        open_rows(tmp_path / "folder.csv", {"text": "text"})


def test_a_folder_of_pictures_is_a_catalogue(tmp_path):
    (tmp_path / "shoes" / "boots").mkdir(parents=True)
    (tmp_path / "shoes" / "boots" / "red_boots-01.jpg").touch()
    columns = COLUMNS.model_copy(update={"text": "title", "group": "model"})
    read = read_catalog(tmp_path, columns, TableForm(separator=" > "))
    assert list(read.columns) == ["row", "image", "text", "classes", "reason"]
    expected = [(1, "shoes/boots/red_boots-01.jpg", "red boots 01", "shoes > boots", "")]
    assert list(read.itertuples(index=False, name=None)) == expected
    with pytest.raises(InputError, match=r"catalog\.columns\.split: .* set it to null"):
        read_catalog(tmp_path, COLUMNS.model_copy(update={"split": "part"}))


def test_a_damaged_gzip_file_is_refused(tmp_path):
    path = tmp_path / "catalog.csv.gz"
    for content in (b"image,text,classes\n", gzip.compress(b"image,text,classes\n" * 9)[:-12]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="cannot be read"):
            read_catalog(path, COLUMNS)


@pytest.mark.skipif(not NETAPORTER.exists(), reason="the development data is not here")
def test_real_fashion_names_are_read_whole():
    read = read_catalog(NETAPORTER, COLUMNS)
    assert read["row"].tolist() == list(range(1, 2351))
    assert (read["reason"] == "").all()
    classes = make_classes(read["classes"], separator="<", label="path")["classes"]
    assert [entry["count"] for entry in classes] == [10] * 235


def test_a_csv_file_as_excel_writes_it_is_read_once_its_encoding_is_named(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_bytes("image;text;classes\r\n1.jpg;Größe 42, 5,90 €;bags\r\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"if it came from Excel, set catalog.encoding: cp1252$"):
        read_catalog(path, COLUMNS)
    table = read_catalog(path, COLUMNS, TableForm(encoding="cp1252"))
    assert table["text"].tolist() == ["Größe 42, 5,90 €"]


def test_a_delimiter_that_is_named_is_taken(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("image;text;classes\n1.jpg;Bag;bags\n")
    assert read_catalog(path, COLUMNS, TableForm(delimiter=";"))["text"].tolist() == ["Bag"]
    with pytest.raises(InputError, match=r"it has image;text;classes$"):
        read_catalog(path, COLUMNS, TableForm(delimiter=","))


def test_an_old_excel_file_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "catalog.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(InputError, match=r"catalog\.xls is of .* before 2007; save it as \.xlsx"):
        read_catalog(tmp_path / "catalog.xls", COLUMNS)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "parquet"])
def test_memory_does_not_grow_with_the_table(tmp_path, ending):
    peaks = []
    for count in (20_000, 80_000):
        frame = pd.DataFrame({"text": [f"item number {n}" for n in range(count)]})
        path = write(tmp_path / f"{count}.{ending}", frame)
        tracemalloc.start()
        rows = open_rows(path, {"text": "text"})
        assert sum(1 for _ in rows) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2**20
