import os

from pipeline.encoders import network_cache as module
from pipeline.encoders.network_cache import NOTE, entry_of, note_use, write_note


def entry(cache, name, used):
    made = entry_of(cache, name)
    made.mkdir(parents=True)
    (made / "network.onnx").write_bytes(b"graph")
    write_note(made, name)
    os.utime(made / NOTE, (used, used))
    return made


def test_models_have_entries_of_their_own(tmp_path):
    assert entry_of(tmp_path, "a").parent == tmp_path
    assert entry_of(tmp_path, "a") == entry_of(tmp_path, "a") != entry_of(tmp_path, "b")


def test_those_used_last_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ENTRIES_KEPT", 2)
    first, second, third = (entry(tmp_path, name, used) for used, name in enumerate("abc"))
    note_use(first)
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
    note_use(entry(tmp_path, "a", 1))
    assert (tmp_path / "cooking" / NOTE).is_file()
    assert (mine / "letter.doc").is_file()
    assert words.is_file()


def test_an_entry_that_is_gone_is_nobodys_fault(tmp_path):
    note_use(entry_of(tmp_path, "a"))
