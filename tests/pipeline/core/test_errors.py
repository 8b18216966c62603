import copy

import pytest

from pipeline.core.errors import BadRowError, InputError


@pytest.mark.parametrize("kind", [InputError, BadRowError])
def test_what_a_library_says_in_several_lines_is_one(kind):
    error = kind("a.parquet: not readable (Parquet magic bytes\n\n  not found\r\nin  'a  b')")
    assert str(error) == "a.parquet: not readable (Parquet magic bytes not found in  'a  b')"
    assert str(kind("one line,  as it  is ")) == "one line,  as it  is "
    assert str(copy.copy(error)) == str(error)


def test_several_mistakes_are_a_line_each():
    error = InputError("catalog.path: missing\nkey", "split.val: got 2")
    assert str(error) == "catalog.path: missing key\nsplit.val: got 2"
    assert str(copy.copy(error)) == str(error)
