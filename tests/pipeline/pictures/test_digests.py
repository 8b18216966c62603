import hashlib
import os
from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.location import RemotePath
from pipeline.pictures.digests import contents, digest_pictures
from pipeline.pictures.folder import open_images

NAMES = ["a.png", "b.png", "deep/c.png"]


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    (folder / "deep").mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def read(monkeypatch):
    """Names of the files that were read, in any order."""
    names = []
    for kind in (Path, RemotePath):

        def read_bytes(path, original=kind.read_bytes):
            names.append(str(path).rpartition("/")[2])
            return original(path)

        monkeypatch.setattr(kind, "read_bytes", read_bytes)

    def since():
        found, names[:] = sorted(names), []
        return found

    return since


def digests(folder, tmp_path, names=NAMES):
    frame = digest_pictures(names, open_images(folder), tmp_path / "known")
    return dict(frame.itertuples(index=False, name=None))


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_each_picture_is_read_once_and_a_rerun_reads_none(images, tmp_path, read):
    found = digests(images, tmp_path, [*NAMES[::-1], *NAMES])
    assert list(found) == NAMES
    assert found == {name: sha256(name.encode()) for name in NAMES}
    assert read() == ["a.png", "b.png", "c.png"]
    assert digests(images, tmp_path) == found
    assert read() == []
    # Another catalogue over the same folder makes nothing forgotten.
    assert digests(images, tmp_path, ["a.png"]) == {"a.png": found["a.png"]}
    assert digests(images, tmp_path) == found
    assert read() == []


def test_another_size_or_time_has_a_file_read_again(images, tmp_path, read):
    digests(images, tmp_path)
    read()
    (images / "b.png").write_bytes(b"longer than before")
    path = images / "a.png"
    before = path.stat()
    path.write_bytes(b"A.png")
    # As long as before, and a nanosecond younger.
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    found = digests(images, tmp_path)
    assert read() == ["a.png", "b.png"]
    assert found["a.png"] == sha256(b"A.png")
    assert found["b.png"] == sha256(b"longer than before")


def test_a_link_stands_for_what_it_leads_to(images, tmp_path, read):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "one").write_bytes(b"one")
    (tmp_path / "cache" / "two").write_bytes(b"three")
    (images / "link.png").symlink_to(tmp_path / "cache" / "one")
    assert digests(images, tmp_path, ["link.png"]) == {"link.png": sha256(b"one")}
    assert digests(images, tmp_path, ["link.png"]) == {"link.png": sha256(b"one")}
    assert read() == ["link.png"]
    (images / "link.png").unlink()
    (images / "link.png").symlink_to(tmp_path / "cache" / "two")
    assert digests(images, tmp_path, ["link.png"]) == {"link.png": sha256(b"three")}


def test_what_cannot_be_read_has_no_digest_and_is_tried_again(images, tmp_path, read):
    (images / "empty.png").write_bytes(b"")
    names = ["deep", "empty.png", "gone.png"]
    for _ in range(2):
        assert digests(images, tmp_path, names) == dict.fromkeys(names, "")
        assert read() == ["deep", "empty.png", "gone.png"]


def known_paths(tmp_path):
    import pyarrow as pa

    (path,) = (tmp_path / "known").iterdir()
    return pa.ipc.open_file(path).read_all()["path"].to_pylist()


def test_what_is_gone_is_forgotten_in_any_folder(images, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.png").write_bytes(b"x")
    (other / "y.png").write_bytes(b"y")
    digests(images, tmp_path)
    digests(other, tmp_path, ["x.png", "y.png"])
    assert len(known_paths(tmp_path)) == 5
    (images / "a.png").unlink()
    (images / "b.png").write_bytes(b"another")
    (other / "y.png").unlink()
    digests(images, tmp_path, ["b.png"])
    assert known_paths(tmp_path) == [
        str(path) for path in (images / "b.png", images / "deep/c.png", other / "x.png")
    ]


def test_a_failure_on_the_way_loses_nothing(images, tmp_path, read, monkeypatch):
    names = [f"{number:03}.png" for number in range(200)]
    for name in names:
        (images / name).write_bytes(name.encode())
    counted = Path.read_bytes

    def read_bytes(path):
        if path.name == "190.png":
            raise MemoryError
        return counted(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", read_bytes)
        with pytest.raises(InputError, match=r"190\.png: out of memory"):
            digests(images, tmp_path, names)
    read()
    digests(images, tmp_path, names)
    assert "190.png" in read()
    digests(images, tmp_path, names)
    assert read() == []


def test_a_remote_picture_is_downloaded_once(bucket, tmp_path, read):
    folder = bucket / "pictures"
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
    found = digests(folder, tmp_path)
    assert found == {name: sha256(name.encode()) for name in NAMES}
    assert read() == ["a.png", "b.png", "c.png"]
    assert digests(folder, tmp_path) == found
    assert read() == []
    (folder / "a.png").write_bytes(b"longer than before")
    (folder / "b.png").unlink()
    assert digests(folder, tmp_path)["a.png"] == sha256(b"longer than before")
    assert read() == ["a.png", "b.png"]
    assert known_paths(tmp_path) == [f"{folder}/a.png", f"{folder}/deep/c.png"]


def test_a_picture_is_known_by_content_and_one_that_cannot_be_read_by_its_path():
    images = pd.Series(["a", "b", "c", "d", "d"])
    digests = pd.DataFrame({"image": ["a", "b", "c", "d"], "digest": ["same", "same", "", ""]})
    assert contents(images, digests).tolist() == ["same", "same", "c", "d", "d"]
