import pytest

from pipeline.core.text import on_one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red  Shirt", "Red  Shirt"),
        (" red\r\nshirt\tsilk\u2028new ", "red shirt silk new"),
        (" \n", ""),
    ],
)
def test_a_text_is_kept_as_written_but_on_one_line(text, expected):
    assert on_one_line(text) == expected
