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
