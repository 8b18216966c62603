import json
import os

import pytest

from pipeline.encoders import network_cache as module
from pipeline.encoders.network_cache import NOTE, entry_of, read_entry, write_note


def entry(cache, name, used):
    made = entry_of(cache, name)
    made.mkdir(parents=True)
    (made / "encoder.json").write_text(json.dumps({"network": None, "model_digest": name}))
    write_note(made, name)
    os.utime(made / NOTE, (used, used))
    return made


def test_models_have_entries_of_their_own(tmp_path):
    assert entry_of(tmp_path, "a").parent == tmp_path
    assert entry_of(tmp_path, "a") == entry_of(tmp_path, "a") != entry_of(tmp_path, "b")


def test_those_used_last_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ENTRIES_KEPT", 2)
    first, second, third = (entry(tmp_path, name, used) for used, name in enumerate("abc"))
    assert read_entry(first) == (None, "a")
    assert [path.is_dir() for path in (first, second, third)] == [True, False, True]
    assert (first / NOTE).read_text() == "a\n"


def test_what_is_not_an_entry_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ENTRIES_KEPT", 1)
    (tmp_path / "cooking").mkdir()
    (tmp_path / "cooking" / NOTE).write_text("soup")
    mine = entry(tmp_path, "mine", 0)
    (mine / "letter.doc").write_text("dear")
    words = tmp_path / f"{'a' * 32}.safetensors"
    words.touch()
    read_entry(entry(tmp_path, "a", 1))
    assert (tmp_path / "cooking" / NOTE).is_file()
    assert (mine / "letter.doc").is_file()
    assert words.is_file()


@pytest.mark.parametrize(
    "content",
    ["{", "{}", "[]", '{"network": 3, "model_digest": "a"}', '{"network": {"dimension": 3}}'],
)
def test_what_is_damaged_is_not_there(tmp_path, content):
    made = entry(tmp_path, "a", 0)
    (made / "encoder.json").write_text(content)
    assert read_entry(made) is None


def test_there_may_be_no_entry(tmp_path):
    assert read_entry(entry_of(tmp_path, "a")) is None
    assert read_entry(None) is None
