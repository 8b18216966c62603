import json
import os

import pytest

from pipeline.core.checked_files import CheckedFiles


@pytest.fixture
def one(tmp_path):
    path = tmp_path / "one"
    path.write_bytes(b"12")
    return path


def note(*paths):
    checked = CheckedFiles(paths[0].parent)
    for path in paths:
        checked.is_known(path)
    checked.keep([path.name for path in paths])


def is_known(path):
    return CheckedFiles(path.parent).is_known(path)


def test_a_file_is_known_until_its_size_or_time_changes(one):
    other = one.with_name("other")
    other.write_bytes(b"12")
    assert not is_known(one)
    note(one)
    assert is_known(one)
    assert not is_known(other)
    before = one.stat().st_mtime_ns
    os.utime(one, ns=(before, before + 1))
    assert not is_known(one)
    one.write_bytes(b"1")
    os.utime(one, ns=(before, before))
    assert not is_known(one)


def test_a_file_that_is_written_while_it_is_read_is_not_known(one):
    checked = CheckedFiles(one.parent)
    assert not checked.is_known(one)
    one.write_bytes(b"123")
    checked.keep(["one"])
    assert not is_known(one)


def test_files_that_are_not_kept_are_forgotten_and_the_others_not(one):
    other = one.with_name("other")
    other.touch()
    note(one, other)
    CheckedFiles(one.parent).keep(["other"])
    assert set(json.loads(one.with_name("checked.json").read_text())) == {"other"}
    assert is_known(other)


def test_a_note_that_is_none_is_no_harm(one):
    for said in ("", "[]", '{"one": [1]}', '{"one": "b"}'):
        one.with_name("checked.json").write_text(said)
        assert not is_known(one)


def test_a_note_that_cannot_be_written_is_left(one):
    one.with_name("checked.json").mkdir()
    note(one)
    assert not is_known(one)
