import datetime
import warnings
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.index.where import LONGEST, MOST_HINTS, matching

DAY, NOON = datetime.date(2024, 5, 1), datetime.datetime(2024, 5, 1, 12)
TABLE = pa.table(
    {
        "brand": ["Nike", "Puma", None, "adidas"],
        "price": [12.9, 50.0, None, 100.0],
        "net": pa.array([12.9, 42.0, None, 84.0], pa.float32()),
        "old_price": pa.array([Decimal("12.90"), Decimal("60"), None, None], pa.decimal128(8, 2)),
        "stock": pa.array([0, 3, 2, None], pa.uint8()),
        "sale": [True, False, None, True],
        "added": [DAY, datetime.date(2025, 1, 1), None, None],
        "seen": pa.array([NOON, None, None, None], pa.timestamp("ns")),
        "sold": pa.array([NOON, None, None, None], pa.timestamp("us", "UTC")),
        "shoe size": [41, 42, 43, 44],
        "class": ["a", "b", "c", "d"],
        "text": ["a boot", "Boots", "a bag", "hat"],
    }
)


def rows(where):
    found = matching(TABLE, where)
    assert found.dtype == bool
    return np.flatnonzero(found).tolist()


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("price < 50", [0]),
        ("price <= 50 and brand == 'Puma'", [1]),
        ("price < 20 or brand == 'adidas' and sale", [0, 3]),
        ("(price < 20 or brand == 'adidas') and stock == 0", [0]),
        ("20 < price <= 100", [1, 3]),
        ("50 > price", [0]),
        ("price > -1", [0, 1, 3]),
        # As they are stored: 12.9 has fewer digits in 32 bits.
        ("net == 12.9", [0]),
        ("old_price == 12.9", [0]),
        ("price < old_price", [1]),
        ("stock > -1 and stock < 3.5", [0, 1, 2]),
        ("stock < 99999999999999999999", [0, 1, 2]),
        ("sale", [0, 3]),
        ("not sale", [1]),
        ("sale == true", [0, 3]),
        ("sale != False", [0, 3]),
        ("brand in ['Nike', 'adidas']", [0, 3]),
        ("brand not in ('Nike', 'adidas')", [1]),
        ("stock in {0, 2}", [0, 2]),
        ("'boot' in text", [0]),
        ("'boot' not in text", [1, 2, 3]),
        ("brand < 'Q'", [0, 1]),
        ("added < '2024-06-01'", [0]),
        ("'2024-05-01' == added", [0]),
        ("seen >= '2024-05-01 12:00'", [0]),
        ("sold < '2024-05-01 14:00+01:00'", [0]),
        ("column('shoe size') >= 43", [2, 3]),
        ("column('class') == 'b'", [1]),
        ("price <\n 50", [0]),
    ],
)
def test_an_expression_finds_what_it_is_true_of(where, wanted):
    assert rows(where) == wanted


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("brand == 'Nike'", [0]),
        ("brand != 'Nike'", [1, 3]),
        ("not brand == 'Nike'", [1, 3]),
        ("not (price < 50)", [1, 3]),
        ("brand is None", [2]),
        ("brand == null", [2]),
        ("brand is not None", [0, 1, 3]),
        # What is missing is enough where the other side decides.
        ("price < 50 or stock == 2", [0, 2]),
    ],
)
def test_what_is_missing_is_found_by_none_alone(where, wanted):
    assert rows(where) == wanted


def test_an_item_without_a_picture_is_found_as_a_missing_value():
    table = pa.table({"image": ["a.png", "", None]})
    assert matching(table, "image is None").tolist() == [False, True, True]
    assert matching(table, "image is not None").tolist() == [True, False, False]


@pytest.mark.parametrize(
    "where",
    [
        "__import__('os').system('true')",
        "open('x')",
        "brand.upper() == 'NIKE'",
        "brand[0] == 'N'",
        "(lambda: price < 3)()",
        "[one for one in price]",
        "(x := 3) < price",
        "sale if sale else sale",
        "f'{price}' == 'x'",
        "price * 2 < 50",
        "-price < 3",
        "price < 3j",
        "b'a' == brand",
        "price < ...",
        "column(brand) == 'a'",
        "column('brand', 1) == 'a'",
        "'N' in price",
        "brand in []",
        "True",
        "'a'",
    ],
)
def test_nothing_but_comparisons_is_taken(where):
    with pytest.raises(InputError, match=r"^where: .* is none of what can be searched by; use col"):
        rows(where)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("prise < 3", "no column 'prise'; did you mean price? there are brand, price, net, old_"),
        ("column('size') < 3", "no column 'size'; "),
        ("zzz == 1", "no column 'zzz'; there are brand, "),
        ("price < 'x'", "price is a number, and 'x' is not"),
        ("brand < 3", "brand is text, and 3 is not"),
        ("sale == 1", "sale is true or false, and 1 is not"),
        ("price == True", "price is a number, and True is not"),
        ("added < 'soon'", "added is a date, to be written as '2024-12-31', not 'soon'"),
        ("seen < 'soon'", "'2024-12-31' or '2024-12-31 18:30', not 'soon'"),
        ("price == brand", "price is a number and brand is text"),
        ("price < None", "price can be None or not, but no less"),
        ("price and sale", "price is a number; compare it with a value"),
        ("1 < 2", "'1' is compared with no column"),
        ("brand = 'Nike'", "cannot be read (invalid syntax); write it like price < 50 and"),
        ("shoe size > 3", "a name of several words like column('shoe size')"),
        ("", "where: '' cannot be read"),
        ("\0", "cannot be read"),
        ("price < " + "9" * 400, "cannot be read (int too large to convert to float)"),
        ("(" * 500 + "sale" + ")" * 500, "cannot be read (too many nested"),
        ("not " * 999 + "sale", "cannot be read (maximum recursion depth exceeded"),
        ("sale or " * 1000 + "sale", f"{LONGEST} are the most"),
    ],
)
def test_a_mistake_is_one_line(where, message):
    with pytest.raises(InputError) as caught:
        rows(where)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("where: ")


def test_what_nothing_has_is_told_with_what_may_have_been_meant():
    for where, hint in [
        ("brand == 'nike'", "; brand has 'Nike'"),
        ("price > 1 and brand in ['Pumma']", "; brand has 'Puma'"),
        ("brand == 'Reebok'", ""),
        ("price > 1000", ""),
    ]:
        with pytest.raises(InputError) as caught:
            rows(where)
        assert str(caught.value) == f"where: no item has {where}{hint}"


def test_only_the_first_of_many_values_are_compared_for_hints():
    """A list of a thousand would take seconds."""
    others = [f"none {n}" for n in range(MOST_HINTS)]
    for values, told in ((["Pumma", *others], True), ([*others, "Pumma"], False)):
        with pytest.raises(InputError) as caught:
            rows(f"brand in {values}")
        assert str(caught.value).endswith("brand has 'Puma'") == told


def test_python_has_nothing_to_say_of_a_backslash():
    with warnings.catch_warnings(action="error"), pytest.raises(InputError, match="no item has"):
        rows(r"brand == '\d'")
