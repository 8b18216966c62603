import shutil
from concurrent.futures import ThreadPoolExecutor
from zipfile import ZIP_DEFLATED, ZipFile

import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.location import RemotePath, address, locate


@pytest.fixture
def pack(tmp_path):
    """A function that writes a zip file and locates it."""

    def write(**content):
        with ZipFile(tmp_path / "p.zip", "w", ZIP_DEFLATED) as file:
            for name, data in content.items():
                file.writestr(name, data)
        return locate(str(tmp_path / "p.zip"), "catalog.images")

    return write


def test_a_zip_file_is_a_folder_of_what_is_in_it(pack):
    place = pack(**{"1.jpg": b"one", "a/ü 2.jpg": b"two"})
    assert isinstance(place, RemotePath)
    assert place.is_dir()
    files, folders = place.list_below()
    assert set(files) == {"1.jpg", "a/ü 2.jpg"}
    assert folders == ["a"]
    assert (place / "a/ü 2.jpg").read_bytes() == b"two"
    assert not (place / "2.jpg").exists()
    with pytest.raises(FileNotFoundError):
        (place / "2.jpg").read_bytes()


@pytest.mark.parametrize("beside", [{}, {"__MACOSX/photos/._1.jpg": b"?"}])
def test_the_one_folder_in_it_is_the_folder(pack, beside):
    place = pack(**{"photos/": b"", "photos/1.jpg": b"one", "photos/a/2.jpg": b"two"}, **beside)
    assert set(place.list_below()[0]) == {"1.jpg", "a/2.jpg"}
    assert (place / "1.jpg").read_bytes() == b"one"


def test_threads_may_read_it_at_once_and_processes_find_it(pack):
    content = {f"{n}.jpg": bytes([n]) * 10_000 for n in range(50)}
    place = locate(address(pack(**content)), "test")
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda name: (place / name).read_bytes(), content))
    assert read == list(content.values())


def test_damage_is_one_line(pack, tmp_path):
    place = pack(**{"1.jpg": b"one" * 1000, "2.jpg": b"two"})
    path = tmp_path / "p.zip"
    data = bytearray(path.read_bytes())
    data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"catalog\.images: .*1\.jpg cannot be read"):
        (place / "1.jpg").read_bytes()
    for content in (b"", b"no zip"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"catalog\.images: .*p\.zip is no readable zip file"):
            locate(str(path), "catalog.images")


def test_what_only_ends_like_one_is_a_path(tmp_path):
    (tmp_path / "folder.zip").mkdir()
    assert locate(str(tmp_path / "folder.zip"), "x") == tmp_path / "folder.zip"
    assert locate(str(tmp_path / "nowhere.zip"), "x") == tmp_path / "nowhere.zip"


def artifact(shop, name):
    return pd.read_parquet(shop.root / "data" / "catalog" / name)


@pytest.mark.parametrize("folder", ["", "pictures of the shop/"])
def test_pictures_may_lie_in_a_zip_file(shop, folder):
    assert shop.huse("catalog").exit_code == 0
    expected = [artifact(shop, name) for name in ("items.parquet", "pictures.parquet")]
    with ZipFile(shop.root / "all.zip", "w") as file:
        for path in (shop.root / "pictures").iterdir():
            file.write(path, f"{folder}{path.name}")
    shutil.rmtree(shop.root / "pictures")
    shop.set({"catalog.images": "all.zip"})
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    for frame, name in zip(expected, ("items.parquet", "pictures.parquet"), strict=True):
        assert artifact(shop, name).equals(frame)
    result = shop.huse("image_features")
    assert result.exit_code == 0, result.output
    assert "16 pictures, none failed" in result.stdout
