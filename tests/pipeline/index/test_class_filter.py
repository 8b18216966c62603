import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.index.class_filter import ClassFilter

PATHS = ["Animals & Nature<cat", "Animals & Nature<dog", "Animals & Naturals", "Symbols"]
CLASSES = ClassFilter(pa.chunked_array([PATHS[:2], [*PATHS[2:], PATHS[1]]]), "<")


@pytest.mark.parametrize(
    ("within", "wanted"),
    [
        ("Animals & Nature", [True, True, False, False, True]),
        ("animals &  nature < DOG", [False, True, False, False, True]),
        ("Symbols", [False, False, False, True, False]),
    ],
)
def test_whole_parts_in_any_case_find_their_items(within, wanted):
    assert CLASSES.within(within).tolist() == wanted


@pytest.mark.parametrize("wrong", ["Animals", "animals & natur", "", " < "])
def test_a_class_that_is_not_there_is_told_with_what_is_close(wrong):
    with pytest.raises(InputError, match="no item is of class"):
        CLASSES.within(wrong)
    with pytest.raises(InputError, match="did you mean 'Animals & Nature'"):
        CLASSES.within("Animals & Nture")


@pytest.mark.parametrize(
    ("wrong", "close"),
    [
        ("Animals", "'Animals & Naturals', 'Animals & Nature'"),
        ("animals & nature<c", "'Animals & Nature<cat'"),
        ("Dog", "'Animals & Nature<dog'"),
        ("Symbol", "'Symbols'"),
    ],
)
def test_what_is_suggested_begins_or_ends_alike(wrong, close):
    with pytest.raises(InputError) as caught:
        CLASSES.within(wrong)
    assert str(caught.value) == f"no item is of class {wrong!r}; did you mean {close}?"


def test_of_an_added_class_what_is_probably_of_it_is_found_too():
    likely = {
        "gadgets<phone": np.array([1, 3]),
        "Symbols<heart": np.array([0]),
        "toys": np.array([], np.uint64),
    }
    classes = ClassFilter(pa.chunked_array([PATHS]), "<", likely)
    for within in ("gadgets", "Gadgets < PHONE"):
        assert classes.within(within).tolist() == [False, True, False, True]
    # Where there are trained classes too, an item is where it is filed.
    assert classes.within("Symbols").tolist() == [False, False, False, True]
    assert classes.within("symbols<heart").tolist() == [True, False, False, False]
    # What is filed there, as an item that was added to the index, is of it in any case.
    filed = ClassFilter(pa.chunked_array([[*PATHS, "gadgets<phone<old"]]), "<", likely)
    assert filed.within("gadgets").tolist() == [False, True, False, True, True]


def test_an_added_class_without_any_item_is_told():
    classes = ClassFilter(pa.chunked_array([PATHS]), "<", {"toys": np.array([], np.uint64)})
    with pytest.raises(InputError, match="'toys', which was added to the model: none is filed"):
        classes.within("toys")
    with pytest.raises(InputError, match="did you mean 'toys'"):
        classes.within("toy")


def test_what_was_removed_is_of_no_class():
    paths = pa.chunked_array([[*PATHS, "gadgets<old"]])
    live_N = np.array([False, True, True, True, False])
    classes = ClassFilter(paths, "<", {"gadgets<phone": np.array([1])}, live_N)
    assert classes.within("Animals & Nature").tolist() == [False, True, False, False, False]
    with pytest.raises(InputError) as caught:
        classes.within("animals & nature<cat")
    assert str(caught.value) == (
        "no item is of class 'animals & nature<cat'; did you mean 'Animals & Nature', "
        "'Animals & Nature<dog', 'Animals & Naturals'?"
    )
    # Nothing but an added class is left there.
    assert classes.within("gadgets").tolist() == [False, True, False, False, False]
