import hashlib

import pytest

from pipeline.core.errors import InputError
from pipeline.pictures.digest_store import DigestStore
from pipeline.pictures.folder import FileState


def some(*names):
    return {
        FileState(f"/pictures/{name}", len(name), 10**18 + 1): hashlib.sha256(
            name.encode()
        ).hexdigest()
        for name in names
    }


def files(home):
    return sorted(home.glob("*"))


def test_what_is_stored_comes_back_and_replaces_what_was_there(tmp_path):
    home = tmp_path / "deep" / "home"
    assert DigestStore(home).digest_of == {}
    DigestStore(home).replace(some("a", "b c", "é"))
    assert DigestStore(home).digest_of == some("a", "b c", "é")
    before = files(home)
    DigestStore(home).replace(some("é", "a", "b c"))
    assert files(home) == before
    DigestStore(home).replace(some("a"))
    assert DigestStore(home).digest_of == some("a")
    assert len(files(home)) == 1


def test_what_is_stored_already_is_not_written_again(tmp_path):
    store = DigestStore(tmp_path)
    store.replace(some("a", "b"))
    (before,) = (path.stat() for path in files(tmp_path))
    for again in (store, DigestStore(tmp_path)):
        again.replace(some("b", "a"))
        assert [path.stat() for path in files(tmp_path)] == [before]
    store.replace(some("a"))
    store.replace(some("a", "b"))
    assert DigestStore(tmp_path).digest_of == some("a", "b")


def test_what_two_processes_store_at_once_is_merged(tmp_path):
    DigestStore(tmp_path).replace(some("a"))
    one, other = DigestStore(tmp_path), DigestStore(tmp_path)
    one.replace(some("a", "b"))
    other.replace(some("a", "c"))
    merged = DigestStore(tmp_path)
    assert merged.digest_of == some("a", "b", "c")
    merged.replace(merged.digest_of)
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("damage", [b"", b"ARROW1 nothing", None])
def test_a_damaged_file_is_thrown_away(tmp_path, damage):
    DigestStore(tmp_path).replace(some("a"))
    (path,) = files(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data) if damage is None else damage)
    found = DigestStore(tmp_path)
    assert found.digest_of == {}
    found.replace(some("b"))
    assert DigestStore(tmp_path).digest_of == some("b")
    assert path not in files(tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be written"):
        DigestStore(tmp_path / "file" / "home").replace(some("a"))
