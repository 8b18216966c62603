import datetime
import gzip
import json
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalog.attributes import describe_attributes, make_attributes, read_kept
from pipeline.core.errors import InputError


def attributes_of(path, names, rows=None):
    """The attributes of items made of the rows, all of them if not given, and what is warned of."""
    kept = read_kept(path, names)
    rows = list(kept.row_R) if rows is None else rows
    items = pd.DataFrame({"item_id": [f"id-{row}" for row in rows], "row": rows})
    said = []
    return make_attributes(kept, items, said.append), said


def from_csv(path, *values, name="x"):
    """A column of a CSV table as an attribute, its values beside a column that is never empty."""
    lines = [f"image,{name}", *(f'a.png,"{value}"' for value in values)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    table, said = attributes_of(path, [name])
    return str(table[name].type), table[name].to_pylist(), said


@pytest.fixture
def csv(tmp_path):
    return tmp_path / "shop.csv"


@pytest.mark.parametrize(
    ("given", "kind", "values"),
    [
        (["1", "-20", "", " 0 "], "int64", [1, -20, None, 0]),
        (["12.90", "13", ".5", ""], "double", [12.9, 13.0, 0.5, None]),
        (["True", "false", "TRUE", ""], "bool", [True, False, True, None]),
        (
            ["2024-02-29", "", "1999-12-31"],
            "date32[day]",
            [datetime.date(2024, 2, 29), None, datetime.date(1999, 12, 31)],
        ),
        (["Nike", " Café ", ""], "string", ["Nike", "Café", None]),
        # An article's number, a day that is none, hexadecimal, and what may be an exponent.
        (["007", "12"], "string", ["007", "12"]),
        (["2023-02-29"], "string", ["2023-02-29"]),
        (["1e5", "nan"], "string", ["1e5", "nan"]),
        (["", ""], "string", [None, None]),
    ],
)
def test_a_column_of_text_has_the_type_of_all_its_values(csv, given, kind, values):
    assert from_csv(csv, *given) == (kind, values, [])


@pytest.mark.parametrize(
    ("given", "odd"),
    [
        (["12.90", "12,90", "3", "4"], "row 2 has '12,90'"),
        (["899", "1.299", "49"], "row 2 has '1.299'"),
        (["5", "6", "n/a"], "row 3 has 'n/a'"),
        (["12,90", "1.299,00", "-3,5"], "row 1 has '12,90'"),
    ],
)
def test_what_may_not_be_numbers_stays_text_and_is_told(csv, given, odd):
    kind, values, (said,) = from_csv(csv, *given, name="price")
    assert (kind, values) == ("string", given)
    assert said.startswith("catalog.columns.keep: price is text and no number, as " + odd)


def test_one_value_that_must_have_a_decimal_point_tells_of_all(csv):
    assert from_csv(csv, "1.299", "0.250")[:2] == ("double", [1.299, 0.25])


def test_rows_that_are_no_items_have_no_say_in_the_type(csv):
    csv.write_text("image,x\na,1\nb,what\nc,3\n", encoding="utf-8")
    table, _ = attributes_of(csv, ["x"], rows=[3, 1])
    assert table.to_pydict() == {"item_id": ["id-3", "id-1"], "x": [3, 1]}


def test_columns_come_in_the_order_they_are_named_in_from_any_text_table(tmp_path):
    text = "brand\timage\tprice\nNike\ta\t9.5\n\n\tb\t3\n"
    (tmp_path / "shop.tsv.gz").write_bytes(gzip.compress(text.encode()))
    table, _ = attributes_of(tmp_path / "shop.tsv.gz", ["price", "brand"])
    # The blank line counts.
    assert table.to_pydict() == {
        "item_id": ["id-1", "id-3"],
        "price": [9.5, 3.0],
        "brand": ["Nike", None],
    }


def write_json(path, *records):
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return path


def test_json_keeps_its_numbers_and_truth_values_and_its_texts_are_texts(tmp_path):
    path = write_json(
        tmp_path / "shop.jsonl",
        {"size": "41", "price": 12, "sale": True, "added": "2024-01-02", "mixed": 1},
        {"size": "7", "price": 9.5, "added": None, "mixed": "S"},
        {"price": None, "sale": False, "mixed": True, "huge": 10**30},
    )
    names = ["size", "price", "sale", "added", "mixed", "huge"]
    table, said = attributes_of(path, names)
    assert said == []
    kinds = [str(table[name].type) for name in names]
    assert kinds == ["string", "double", "bool", "date32[day]", "string", "double"]
    assert table["size"].to_pylist() == ["41", "7", None]
    assert table["price"].to_pylist() == [12.0, 9.5, None]
    assert table["sale"].to_pylist() == [True, None, False]
    assert table["mixed"].to_pylist() == ["1", "S", "true"]
    assert table["huge"].to_pylist() == [None, None, 1e30]


def test_parquet_keeps_its_types(tmp_path):
    columns = {
        "brand": pa.array(["Nike", None, "Nike"]).dictionary_encode(),
        "long": pa.array(["a", "b", None], pa.large_string()),
        "price": pa.array([Decimal("12.90"), None, Decimal("3.00")], pa.decimal128(8, 2)),
        "share": pa.array([0.5, float("nan"), None], pa.float32()),
        "stock": pa.array([1, 2, None], pa.int16()),
        "at": pa.array([datetime.datetime(2024, 1, 1, 5), None, None], pa.timestamp("us")),
        "nothing": pa.nulls(3),
    }
    pq.write_table(pa.table(columns), tmp_path / "shop.parquet")
    table, _ = attributes_of(tmp_path / "shop.parquet", list(columns), rows=[3, 1])
    assert [str(kind) for kind in table.schema.types] == [
        *("string", "string", "string", "decimal128(8, 2)", "float", "int16", "timestamp[us]"),
        "string",
    ]
    assert table["brand"].to_pylist() == ["Nike", "Nike"]
    assert table["price"].to_pylist() == [Decimal("3.00"), Decimal("12.90")]
    assert table["share"].to_pylist() == [None, 0.5]


def test_blanks_say_nothing_in_any_format(tmp_path):
    """Else a search finds, and a head predicts, a colour of no name."""
    values = ["red", "", "  ", " red ", None]
    pq.write_table(
        pa.table({"colour": values, "size": pa.array(values).dictionary_encode()}),
        tmp_path / "shop.parquet",
    )
    write_json(tmp_path / "shop.jsonl", *({"colour": value, "size": value} for value in values))
    for name in ("shop.parquet", "shop.jsonl"):
        table, _ = attributes_of(tmp_path / name, ["colour", "size"])
        for column in ("colour", "size"):
            assert table[column].to_pylist() == ["red", None, None, "red", None]


def test_what_is_no_attribute_is_named(tmp_path):
    path = write_json(tmp_path / "shop.jsonl", {"tags": "new"}, {"tags": ["new", "red"]})
    with pytest.raises(InputError, match=r"^catalog\.columns\.keep: row 2: tags is list; what is"):
        attributes_of(path, ["tags"])
    with pytest.raises(InputError, match="row 1: tags holds half a character"):
        attributes_of(write_json(path, {"tags": "\ud800"}), ["tags"])
    with pytest.raises(InputError, match="price has a number of hundreds of digits"):
        attributes_of(write_json(path, {"price": 10**400}), ["price"])
    pq.write_table(pa.table({"tags": [["new"]]}), tmp_path / "shop.parquet")
    with pytest.raises(InputError, match="keep: tags is of type list<element: string>; what is"):
        attributes_of(tmp_path / "shop.parquet", ["tags"])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_column_that_is_not_there_or_there_twice_is_told(tmp_path, ending):
    path = tmp_path / f"shop.{ending}"
    if ending == "csv":
        path.write_text("image,price,price\na,1,2\n", encoding="utf-8")
    else:
        arrays = [pa.array(["a"]), pa.array([1]), pa.array([2])]
        pq.write_table(pa.Table.from_arrays(arrays, names=["image", "price", "price"]), path)
    with pytest.raises(InputError) as caught:
        read_kept(path, ["brand", "colour"])
    assert str(caught.value) == (
        f"catalog.columns.keep: no column 'brand', 'colour' in {path}; it has image, price, price"
    )
    with pytest.raises(InputError, match="keep: 2 columns are called 'price'"):
        read_kept(path, ["price"])


def test_nothing_kept_leaves_the_names_of_the_items(csv):
    csv.write_text("image\na\n", encoding="utf-8")
    items = pd.DataFrame({"item_id": ["id-1"], "row": [1]})
    table = make_attributes(read_kept(csv, []), items, pytest.fail)
    assert table.to_pydict() == {"item_id": ["id-1"]}


def test_a_line_says_what_was_kept(csv):
    csv.write_text("a,b,c\nx,1,\ny,,\n", encoding="utf-8")
    table, _ = attributes_of(csv, ["a", "b", "c"])
    assert describe_attributes(table) == (
        "a (text), b (integer, 50.0 % missing), c (text, 100.0 % missing)"
    )


KEPT = {"brand": ["Nike", ""] * 8, "price": ["12.90", "9", "", "100"] * 4, "sale": ["true"] * 16}


def kept_of(shop):
    return pd.read_parquet(shop.root / "data/catalog/attributes.parquet")


def test_columns_are_kept_and_nothing_else_changes(shop):
    assert shop.huse("catalog").exit_code == 0
    folder = shop.root / "data/catalog"
    before = {path.name: path.read_bytes() for path in folder.glob("*.*") if path.is_file()}
    assert {"items.parquet", "groups.parquet", "rejected.csv"} <= set(before)
    assert list(kept_of(shop)) == ["item_id"]
    table = pd.read_csv(shop.root / "catalog.csv").assign(**KEPT)
    table.to_csv(shop.root / "catalog.csv", index=False)
    shop.set({"catalog.columns.keep": ["price", "brand"]})
    result = shop.huse("catalog")
    assert result.stdout.splitlines()[0] == (
        "catalog: kept price (number, 25.0 % missing), brand (text, 50.0 % missing)"
    )
    said = pq.read_table(folder / "attributes.parquet")
    assert said.column_names == ["item_id", "price", "brand"]
    assert (
        said["item_id"].to_pylist() == pd.read_parquet(folder / "items.parquet")["item_id"].tolist()
    )
    assert said["price"].to_pylist() == [12.9, 9.0, None, 100.0] * 4
    for name, content in before.items():
        assert name == "attributes.parquet" or (folder / name).read_bytes() == content, name


@pytest.mark.parametrize("write", ["parquet", "jsonl"])
def test_columns_are_kept_from_tables_with_types(shop, write):
    table = pd.read_csv(shop.root / "catalog.csv").assign(stock=range(16), size=["7"] * 16)
    path = shop.root / f"catalog.{write}"
    if write == "parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True)
    (shop.root / "pictures" / "3.png").unlink()
    keep = {"catalog.columns.keep": ["stock", "size"]}
    shop.set({"catalog.path": path.name, "catalog.require": "both", **keep})
    result = shop.huse("catalog")
    assert "catalog: kept stock (integer), size (text)\n" in result.stdout
    assert kept_of(shop)["stock"].tolist() == [0, 1, 2, *range(4, 16)]


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (["price"], "catalog.columns.keep: no column 'price' in catalog.csv; it has image, text"),
        (
            ["price", "price"],
            "params.yaml: catalog.columns.keep: got ['price', 'price']; 'price' is",
        ),
        (["text"], "'text' is what a column of our own is called; rename yours in the table"),
        ("price", "params.yaml: catalog.columns.keep: got 'price'; input should be a valid list"),
    ],
)
def test_columns_that_cannot_be_kept_are_told(shop, keep, message):
    shop.set({"catalog.columns.keep": keep})
    told = shop.refuse("catalog")
    assert message in told
    assert "\n" not in told


def test_a_price_that_is_text_is_warned_of(shop):
    table = pd.read_csv(shop.root / "catalog.csv").assign(price=["12.90"] * 15 + ["12,90"])
    table.to_csv(shop.root / "catalog.csv", index=False)
    shop.set({"catalog.columns.keep": ["price"]})
    result = shop.huse("catalog")
    assert "catalog: warning: catalog.columns.keep: price is text and no number, as row 16" in (
        result.stderr
    )
