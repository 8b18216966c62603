import json
import os

from pipeline.core.checked_files import CheckedFiles


def test_a_file_is_known_until_its_size_or_time_changes(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.write_bytes(b"12")
    assert one not in CheckedFiles(tmp_path)
    CheckedFiles(tmp_path).keep([one])
    assert one in CheckedFiles(tmp_path)
    assert other not in CheckedFiles(tmp_path)
    before = one.stat().st_mtime_ns
    os.utime(one, ns=(before, before + 1))
    assert one not in CheckedFiles(tmp_path)
    one.write_bytes(b"1")
    os.utime(one, ns=(before, before))
    assert one not in CheckedFiles(tmp_path)


def test_files_that_are_gone_are_forgotten(tmp_path):
    for name in "ab":
        (tmp_path / name).touch()
    checked = CheckedFiles(tmp_path)
    checked.keep([tmp_path / "a", tmp_path / "b"])
    (tmp_path / "a").unlink()
    checked.keep([tmp_path / "a", tmp_path / "b"])
    assert set(json.loads((tmp_path / "checked.json").read_text())) == {"b"}


def test_a_note_that_is_none_is_no_harm(tmp_path):
    (tmp_path / "a").touch()
    for note in ("", "[]", '{"a": [1]}', '{"a": "b"}'):
        (tmp_path / "checked.json").write_text(note)
        assert tmp_path / "a" not in CheckedFiles(tmp_path)


def test_a_note_that_cannot_be_written_is_left(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "checked.json").mkdir()
    CheckedFiles(tmp_path).keep([tmp_path / "a"])
    assert tmp_path / "a" not in CheckedFiles(tmp_path)
