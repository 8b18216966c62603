import errno
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.pictures.file import (
    PictureBytes,
    UnreadableImageError,
    is_machine_trouble,
    machine_trouble,
    read_picture,
)


def test_a_picture_in_memory_stands_for_its_file():
    assert read_picture(PictureBytes(b"x")) == b"x"
    # Nobody wants to read its bytes in a message.
    assert str(PictureBytes(b"x")) == "picture"
    with pytest.raises(UnreadableImageError, match="file is empty"):
        read_picture(PictureBytes(b""))


def test_a_file_without_bytes_is_a_reason(tmp_path):
    (tmp_path / "good").write_bytes(b"x")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    assert read_picture(tmp_path / "good") == b"x"
    for name, reason in [
        ("empty", "file is empty"),
        ("folder", "a folder, not a file"),
        ("gone", "file not found"),
    ]:
        with pytest.raises(UnreadableImageError, match=reason):
            read_picture(tmp_path / name)


def fail(monkeypatch, error):
    def read(path):
        raise error

    monkeypatch.setattr(Path, "read_bytes", read)


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (MemoryError(), "out of memory"),
    ],
)
def test_what_this_machine_has_run_out_of_condemns_no_picture(monkeypatch, error, what):
    fail(monkeypatch, error)
    assert is_machine_trouble(error)
    with pytest.raises(InputError, match=rf"^a\.png: {what}; that is this machine's limit"):
        read_picture(Path("a.png"))


def test_other_errors_are_the_files_own(monkeypatch):
    fail(monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    with pytest.raises(UnreadableImageError, match=r"cannot be read \(Permission denied\)"):
        read_picture(Path("a.png"))
    for error in (OSError("image file is truncated"), ValueError()):
        assert not is_machine_trouble(error)
        with pytest.raises(type(error)), machine_trouble("a.png"):
            raise error
