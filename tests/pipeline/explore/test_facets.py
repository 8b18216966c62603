import datetime

import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.explore import facets as module
from pipeline.explore.facets import make_facets, write_where, written
from pipeline.index.where import matching

DAYS = [datetime.date(2024, 1, 1), datetime.date(2024, 3, 1), None, datetime.date(2025, 1, 1)]
ATTRIBUTES = pa.table(
    {
        "item_id": ["a", "b", "c", "d"],
        "brand": ["Nike", "L'été", None, "Nike"],
        "price": [12.5, 3.0, None, 100.0],
        "sale": [True, False, True, None],
        "first seen": DAYS,
        "empty": pa.nulls(4, pa.float64()),
    }
)
FACETS = make_facets(ATTRIBUTES)


def rows(typed, *chosen):
    where = write_where(FACETS, typed, chosen)
    assert where is not None
    return matching(ATTRIBUTES, where).nonzero()[0].tolist()


def test_values_come_with_how_many_have_them_and_numbers_with_their_bounds():
    brand, price, sale, seen = FACETS
    assert brand.choices == [("Nike (2)", "Nike"), ("L'été (1)", "L'été"), ("not said (1)", None)]
    assert sale.choices == [("true (2)", True), ("false (1)", False), ("not said (1)", None)]
    assert (price.choices, price.least, price.greatest) == ([], 3.0, 100.0)
    assert (seen.least, seen.greatest) == (DAYS[0], DAYS[3])
    assert [facet.inputs for facet in FACETS] == [1, 2, 1, 2]


def test_an_attribute_of_too_many_values_is_no_facet(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    assert [facet.name for facet in make_facets(ATTRIBUTES)] == ["price", "first seen"]


NOTHING = [[], "", None, [], "", ""]


@pytest.mark.parametrize(
    ("place", "value", "where", "wanted"),
    [
        (0, [0], "brand == 'Nike'", [0, 3]),
        (0, [1], 'brand == "L\'été"', [1]),
        (0, [2], "brand is None", [2]),
        (0, [0, 1], "brand in ['Nike', \"L'été\"]", [0, 1, 3]),
        (0, [0, 2], "(brand == 'Nike' or brand is None)", [0, 2, 3]),
        (1, "12.0", "price >= 12", [0, 3]),
        (2, " 12.5", "price <= 12.5", [0, 1]),
        (3, [0], "sale == True", [0, 2]),
        (4, "2024-02-01", "column('first seen') >= '2024-02-01'", [1, 3]),
        (5, " 2024-02-01 ", "column('first seen') <= '2024-02-01'", [0]),
    ],
)
def test_a_choice_is_the_expression_that_finds_the_same(place, value, where, wanted):
    chosen = [value if n == place else nothing for n, nothing in enumerate(NOTHING)]
    assert write_where(FACETS, "", chosen) == where
    assert rows("", *chosen) == wanted


def test_choices_hold_together_and_with_what_was_typed():
    assert rows("", [0, 1], "1", "50", [], "", "") == [0, 1]
    assert rows("price < 5 or price > 50", [0], "", "", [], "", "") == [3]
    assert write_where(FACETS, " price < 5 ", NOTHING) == "price < 5"
    assert write_where(FACETS, "  ", NOTHING) is None


@pytest.mark.parametrize("typed", ["cheap", "12,90", "inf"])
def test_what_is_no_number_is_told(typed):
    with pytest.raises(InputError, match=f"price: '{typed}' is no number"):
        write_where(FACETS, "", [[], typed, "", [], "", ""])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("größe", "größe"),
        ("class", "column('class')"),
        ("shoe size", "column('shoe size')"),
        ("it's", 'column("it\'s")'),
        ("ﬁt", "column('ﬁt')"),
    ],
)
def test_names_that_are_no_words_are_written_as_texts(name, wanted):
    assert written(name) == wanted
    table = pa.table({"item_id": ["a", "b"], name: [1, 2]})
    assert matching(table, f"{wanted} > 1").tolist() == [False, True]
