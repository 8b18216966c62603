import time
from pathlib import Path

import pytest
from pyarrow.fs import LocalFileSystem

from pipeline.core.errors import InputError
from pipeline.core.location import RemotePath, address, locate


def test_a_path_and_a_file_uri_are_places_of_this_machine(tmp_path, monkeypatch):
    assert locate("a/b", "key") == Path("a/b")
    assert locate(f"file://{tmp_path}/a%20b", "key") == tmp_path / "a b"
    monkeypatch.chdir(tmp_path)
    assert address(Path("a")) == str(tmp_path / "a")


def test_what_is_written_is_there_whole_until_it_is_removed(bucket):
    file = bucket / "folder/a b \u00e9%20.bin"
    assert not file.exists()
    file.write_bytes(b"one")
    file.write_bytes(b"three")
    assert file.read_bytes() == b"three"
    assert file.exists()
    assert not file.is_dir()
    assert (bucket / "folder").is_dir()
    (bucket / "top.gz").write_bytes(b"not compressed")
    assert (bucket / "top.gz").read_bytes() == b"not compressed"
    files, folders = bucket.list_below()
    assert sorted(files) == ["folder/a b \u00e9%20.bin", "top.gz"]
    size, modified = files["top.gz"]
    assert size == len(b"not compressed")
    assert abs(modified / 1e9 - time.time()) < 600
    assert folders == ["folder"]
    assert locate(address(file), "key").read_bytes() == b"three"
    file.unlink()
    for gone in (file.read_bytes, file.unlink, (bucket / "nowhere").list_below):
        with pytest.raises(FileNotFoundError):
            gone()


def test_messages_show_no_password_and_no_settings(bucket, s3):
    name = address(bucket).removeprefix("s3://")
    place = locate(f"s3://key:secret@{name}/a/?endpoint_override={s3}&scheme=http", "key")
    (place / "b c").write_bytes(b"x")
    assert str(place / "b c") == f"s3://{name}/a/b c"
    assert address(place / "b c").startswith(f"s3://key:secret@{name}/a/b%20c?endpoint_override")
    assert (bucket / "a/b c").read_bytes() == b"x"
    for wrong in (f"s3://key:secret@{name}?speed=high", f"s3://key:/sec ret@{name}"):
        with pytest.raises(InputError) as caught:
            locate(wrong, "key")
        assert str(caught.value).startswith(f"key: s3://{name} cannot be used (")
        assert "ret@" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    ["http://example.org/pictures", "s3://bucket/a?speed=high", "file://host/a", "file:///a b"],
)
def test_a_uri_that_arrow_does_not_take_is_one_line(s3, uri):
    with pytest.raises(InputError, match=r"^catalog\.images: \S.* cannot be used \(.+\)$"):
        locate(uri, "catalog.images")


def refusal(action):
    """The one line with which it ends, in less time than Arrow would take."""
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        action()
    assert time.monotonic() - start < 60
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_server_that_refuses_or_is_not_there_is_one_line(s3):
    missing = locate("s3://no-such-bucket-of-ours/a", "machine.vector_store")
    for action in (lambda: missing.write_bytes(b""), missing.list_below):
        message = refusal(action)
        assert message.startswith("machine.vector_store: s3://no-such-bucket-of-ours/a cannot be ")
        assert "NO_SUCH_BUCKET" in message
    silent = locate("s3://bucket/a?endpoint_override=127.0.0.1:1&scheme=http", "catalog.images")
    message = refusal(silent.read_bytes)
    assert message.startswith("catalog.images: s3://bucket/a cannot be read (")
    google = "gs://anonymous@b/a?endpoint_override=127.0.0.1:1&scheme=http&retry_limit_seconds=1"
    assert "gs://b/a cannot be reached (" in refusal(locate(google, "catalog.images").exists)


def test_where_a_put_is_not_atomic_a_file_is_moved_into_its_place(tmp_path):
    """As on HDFS, which there is none of here."""
    place = RemotePath(
        "hdfs://host/a", "", "machine.vector_store", LocalFileSystem(), str(tmp_path / "a")
    )
    (place / "b/c.bin").write_bytes(b"one")
    (place / "b/c.bin").write_bytes(b"two")
    modified = (tmp_path / "a/b/c.bin").stat().st_mtime_ns
    assert place.list_below() == ({"b/c.bin": (3, modified)}, ["b"])
    assert (place / "b/c.bin").read_bytes() == b"two"
    with pytest.raises(InputError, match=r"vector_store: hdfs://host/a/b/c\.bin/d cannot be wri"):
        (place / "b/c.bin/d").write_bytes(b"x")
