from typing import NotRequired

import pytest
from typing_extensions import TypedDict

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, read_json_as, read_note_as, write_json


class Config(TypedDict):
    dim: int
    dropout: float


class Model(TypedDict):
    format_version: int
    config: Config
    names: list[str]
    limit: NotRequired[float | None]


MODEL = {
    "format_version": 2,
    "config": {"dim": 8, "dropout": 1},
    "names": ["a"],
    "more": {"of": "a later version"},
}


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


@pytest.mark.parametrize(
    "content", [b"", b'{"a": ', b"\xff\xfe", b"[" * 100_000, b"1" * 5000], ids=len
)
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json: not valid JSON .*make it again"):
        read_json(tmp_path / "x.json")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path)


def read_model(path):
    return read_json_as(path, Model, "run huse train", version=2)


def test_what_is_expected_comes_as_it_is_with_all_that_is_there_beside_it(tmp_path):
    write_json(tmp_path / "model.json", MODEL)
    assert read_model(tmp_path / "model.json") == MODEL
    write_json(tmp_path / "words.json", ["red", "hat"])
    assert read_json_as(tmp_path / "words.json", list[str], "make it again") == ["red", "hat"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "damaged (all of it: should be an object)"),
        ({}, "damaged (no format_version)"),
        (MODEL | {"format_version": "2"}, "damaged (no format_version)"),
        (MODEL | {"format_version": True}, "damaged (no format_version)"),
        (MODEL | {"config": []}, "damaged (config: should be an object)"),
        (MODEL | {"config": {"dim": 8}}, "damaged (config.dropout: missing)"),
        (
            MODEL | {"config": {"dim": "8", "dropout": 0.5}},
            "damaged (config.dim: should be a valid integer)",
        ),
        (MODEL | {"names": ["a", 3]}, "damaged (names.1: should be a valid string)"),
        (MODEL | {"limit": "0.5"}, "damaged (limit: should be a valid number)"),
        (MODEL | {"format_version": 1, "config": 0}, "format version 1, this program reads 2"),
    ],
)
def test_what_is_something_else_is_told_in_one_line_with_its_key(tmp_path, content, message):
    path = tmp_path / "model.json"
    write_json(path, content)
    with pytest.raises(InputError) as caught:
        read_model(path)
    assert str(caught.value) == f"{path}: {message}; run huse train"


def test_a_file_of_a_newer_program_says_so(tmp_path):
    write_json(tmp_path / "model.json", {"format_version": 3, "all": "else"})
    with pytest.raises(InputError) as caught:
        read_model(tmp_path / "model.json")
    assert str(caught.value) == (
        f"{tmp_path / 'model.json'}: format version 3, this program reads 2; update the program, "
        "or run huse train"
    )


@pytest.mark.parametrize(
    ("note", "message"),
    [
        (None, "damaged, or of another program (Expecting value: line 1 column 1 (char 0))"),
        ("{", "damaged, or of another program (Expecting property name"),
        ("[]", "damaged (all of it: should be an object)"),
        ('{"a": "bc"}', "damaged (a: should be a valid list)"),
    ],
)
def test_a_note_in_another_file_is_checked_likewise(tmp_path, note, message):
    path = tmp_path / "x.parquet"
    assert read_note_as(path, '{"a": ["b"]}', dict[str, list[str]], "run huse") == {"a": ["b"]}
    with pytest.raises(InputError) as caught:
        read_note_as(path, note, dict[str, list[str]], "run huse evaluate")
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).endswith("; run huse evaluate")
