import pytest

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json


def test_round_trip_is_readable_and_byte_stable(tmp_path):
    value = {"name": "Chloé", "r_at_1": 0.1, "list": [1, None, True]}
    write_json(tmp_path / "a.json", value)
    write_json(tmp_path / "b.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert '"name": "Chloé",\n' in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_json_has_no_word_for_leave_the_old_file(tmp_path, number):
    path = tmp_path / "metrics.json"
    write_json(path, 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"r_at_1": number})
    assert read_json(path) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["metrics.json"]


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"x\.json: not found; run the stage that makes it first"):
        read_json(tmp_path / "x.json")


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"\xff\xfe"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json: not valid JSON .*make it again"):
        read_json(tmp_path / "x.json")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path)
