from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.attributes import values as module
from pipeline.attributes.values import frequent, number_values, tell_of_rare_values
from pipeline.core.errors import InputError

PATH = Path("attributes.parquet")


def numbered(values, train=None):
    table = pa.table({"column": values})
    is_train_N = np.ones(len(values), bool) if train is None else np.array(train)
    return number_values("column", table, PATH, is_train_N)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["red", None, "blue", "red"], ["blue", "red"]),
        ([2012, None, 2009, 2012], [2009, 2012]),
        ([38.5, None, 38.0, 38.5], [38.0, 38.5]),
        ([True, None, False, True], [False, True]),
        ([Decimal("2.5"), None, Decimal("1.5"), Decimal("2.5")], [1.5, 2.5]),
        (
            [date(2024, 2, 1), None, date(2024, 1, 1), date(2024, 2, 1)],
            ["2024-01-01", "2024-02-01"],
        ),
    ],
)
def test_values_of_any_type_are_numbered_in_rising_order(given, wanted):
    found = numbered(given)
    assert found.values == wanted
    assert found.number_N.tolist() == [1, -1, 0, 1]


def test_a_price_is_refused_with_what_to_do_and_a_year_is_not():
    assert len(numbered(range(50)).values) == 50
    with pytest.raises(InputError) as caught:
        numbered(range(51))
    assert str(caught.value) == (
        "attributes.predict: column has 51 different values (integer), and values are told apart, "
        "not estimated: put it into at most 50 ranges in a column of your table, and predict that"
    )
    # What test items alone have is nothing that a head would learn.
    assert len(numbered(range(51), [True] * 50 + [False]).values) == 51
    assert len(numbered([str(n) for n in range(51)]).values) == 51, "of text there may be more"


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"has no column size, which attributes.predict names"):
        number_values("size", pa.table({"colour": ["red"]}), PATH, np.ones(1, bool))


def test_values_that_enough_items_have_are_predicted():
    number_N = np.array([0, 0, 1, 3, 3, 3, -1, -1])
    assert frequent("colour", number_N, 2, 5).tolist() == [0, 3]
    assert frequent("colour", number_N[-2:], 2, 5).tolist() == []


def test_more_values_than_a_head_has_room_for_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 2)
    with pytest.raises(InputError, match="brand has 3 values with 2 training items or more, at"):
        frequent("brand", np.arange(3).repeat(2), 2, 5)


def test_of_more_features_fewer_values_are_predicted(monkeypatch):
    monkeypatch.setattr(module, "MOST_WEIGHTS", 10)
    number_N = np.arange(3).repeat(2)
    assert len(frequent("brand", number_N, 2, 3)) == 3
    with pytest.raises(InputError, match="at most 2 are predicted from 5 features: raise"):
        frequent("brand", number_N, 2, 5)


def test_rare_values_are_told_of():
    said = []
    tell_of_rare_values("colour", np.array([0, 0, 0, 1, 2, -1]), 3, said.append)
    assert said == []
    tell_of_rare_values("colour", np.array([0, 0, 1, 2, 3, -1]), 2, said.append)
    assert said == [
        "attributes.predict: 3 of the 5 training items that have colour have a value of fewer than "
        "2 items, which is never predicted"
    ]
    for nothing in ([0, 1, 2], [-1, -1]):
        with pytest.raises(InputError, match="colour has no value with 2 training items"):
            tell_of_rare_values("colour", np.array(nothing), 2, said.append)
