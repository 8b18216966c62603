import json

import pytest

from pipeline.core.errors import InputError
from pipeline.stores.store import Description, in_parts, told

FOUND = Description("3f", "fused", 16, "<", {"brand": "string", "gr\u00f6\u00dfe": "int64"})


def test_a_description_comes_back_from_json_that_others_can_read():
    written = FOUND.dumps()
    assert Description.loads(written, "here") == FOUND
    said = json.loads(written)
    assert (said["distance"], said["dimension"], said["format_version"]) == ("cosine", 16, 1)


@pytest.mark.parametrize(
    "text",
    [None, "", "null", "a table of ours", "[1]", '{"format_version": 1}', '{"a": 1}'],
)
def test_a_collection_without_one_is_somebody_else_s(text):
    with pytest.raises(InputError, match=r"^here: there already, and not made by huse export"):
        Description.loads(text, "here")


def test_one_of_a_newer_version_is_not_guessed_at():
    newer = json.dumps({**json.loads(FOUND.dumps()), "format_version": 2, "metric": "dot"})
    with pytest.raises(InputError, match="format version 2, this program writes 1; update"):
        Description.loads(newer, "here")


def test_a_long_list_is_cut_without_loss():
    assert list(in_parts("abcdefg", 3)) == ["abc", "def", "g"]
    assert list(in_parts("", 3)) == []


def test_what_a_library_raises_is_one_line_and_what_we_raise_stays():
    with pytest.raises(InputError, match=r"^here: no such host$"), told("here", OSError):
        raise OSError("no such host\nTraceback of ten lines")
    with pytest.raises(InputError, match=r"^ours$"), told("here", ValueError):
        raise InputError("ours")
    with pytest.raises(KeyError), told("here", OSError):
        raise KeyError("a mistake of our own")
