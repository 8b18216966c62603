import datetime

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.explore import facets as module
from pipeline.explore.facets import (
    describe_filter,
    make_boxes,
    make_facets,
    taken,
    without,
    write_where,
    written,
)
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
        "nameless": pa.nulls(4, pa.string()),
    }
)
FACETS = make_facets(ATTRIBUTES)
BRAND, PRICE, SALE, SEEN = FACETS


def rows(typed, *filters):
    where = write_where(FACETS, typed, filters)
    assert where is not None
    return matching(ATTRIBUTES, where).nonzero()[0].tolist()


def test_values_come_with_the_most_frequent_first_and_numbers_with_their_bounds():
    assert BRAND.values == ["Nike", "L'été"]
    assert SALE.values == ["true", "false"]
    assert (PRICE.values, PRICE.least, PRICE.greatest) == ([], 3.0, 100.0)
    assert (SEEN.least, SEEN.greatest) == (DAYS[0], DAYS[3])


def test_an_attribute_of_too_many_values_is_no_facet(monkeypatch):
    monkeypatch.setattr(module, "MOST", 1)
    assert [facet.name for facet in make_facets(ATTRIBUTES)] == ["price", "first seen"]


@pytest.mark.parametrize(
    ("filters", "where", "wanted"),
    [
        ([("is.brand", "Nike")], "brand == 'Nike'", [0, 3]),
        ([("is.brand", "L'été")], 'brand == "L\'été"', [1]),
        ([("no.brand", "1")], "brand is None", [2]),
        (
            [("is.brand", "Nike"), ("is.brand", "L'été")],
            "brand in ['Nike', \"L'été\"]",
            [0, 1, 3],
        ),
        (
            [("no.brand", "1"), ("is.brand", "Nike")],
            "(brand == 'Nike' or brand is None)",
            [0, 2, 3],
        ),
        ([("from.price", "12.0")], "price >= 12", [0, 3]),
        ([("to.price", "12.5")], "price <= 12.5", [0, 1]),
        ([("is.sale", "true")], "sale == True", [0, 2]),
        ([("from.first seen", "2024-02-01")], "column('first seen') >= '2024-02-01'", [1, 3]),
        ([("to.first seen", "2024-02-01")], "column('first seen') <= '2024-02-01'", [0]),
    ],
)
def test_a_choice_is_the_expression_that_finds_the_same(filters, where, wanted):
    assert write_where(FACETS, "", tuple(filters)) == where
    assert rows("", *filters) == wanted


def test_choices_hold_together_and_with_what_was_typed():
    brands = [("is.brand", "Nike"), ("is.brand", "L'été")]
    assert rows("", *brands, ("from.price", "1"), ("to.price", "50")) == [0, 1]
    assert rows("price < 5 or price > 50", brands[0]) == [3]
    assert write_where(FACETS, "price < 5", ()) == "price < 5"
    assert write_where(FACETS, "", ()) is None


@pytest.mark.parametrize("typed", ["cheap", "12,90", "inf"])
def test_what_is_no_number_is_told(typed):
    with pytest.raises(InputError, match=f"price: '{typed}' is no number"):
        write_where(FACETS, "", (("from.price", typed),))


def test_an_attribute_that_is_no_longer_there_is_told():
    with pytest.raises(InputError, match="nothing can be chosen of 'size' here"):
        write_where(FACETS, "", (("is.size", "41"),))


def test_boxes_count_the_items_that_other_filters_leave():
    filters = (("is.brand", "Nike"), ("to.price", "50"))
    inside_N = np.array([True, True, True, False])
    boxes = make_boxes(BRAND, taken(ATTRIBUTES, "brand", inside_N), filters)
    assert [(box.label, box.items, box.ticked) for box in boxes] == [
        ("L'été", 1, False),
        ("Nike", 1, True),
        ("not said", 1, False),
    ]
    assert [box.key for box in boxes] == ["is.brand", "is.brand", "no.brand"]
    assert without(BRAND, filters) == (("to.price", "50"),)
    (one,) = make_boxes(BRAND, taken(ATTRIBUTES, "brand", np.zeros(4, dtype=bool)), filters)
    assert (one.label, one.items, one.ticked) == ("Nike", 0, True)
    assert len(make_boxes(BRAND, taken(ATTRIBUTES, "brand", None), ())) == 3


def test_of_many_values_the_frequent_and_the_ticked_ones_have_a_box(monkeypatch):
    monkeypatch.setattr(module, "FEW", 1)
    boxes = make_boxes(BRAND, ATTRIBUTES["brand"], (("is.brand", "Puma"),))
    assert [(box.label, box.items) for box in boxes] == [("Nike", 2), ("Puma", 0), ("not said", 1)]


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("is.brand", "A.B"), "brand: A.B"),
        (("no.brand", "1"), "brand: not said"),
        (("from.first seen", "2024-01-01"), "first seen from 2024-01-01"),
        (("to.a.b", "3"), "a.b to 3"),
    ],
)
def test_what_was_chosen_is_said_for_people(pair, said):
    assert describe_filter(*pair) == said


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
