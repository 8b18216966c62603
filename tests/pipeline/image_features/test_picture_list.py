import hashlib

import pytest

from pipeline.core.errors import InputError
from pipeline.image_features.picture_list import CHANGED, list_pictures
from pipeline.pictures.folder import ImageFolder

ONE = hashlib.sha256(b"one").hexdigest()


def test_pictures_have_the_digest_of_the_catalogue_or_a_reason(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"one")
    (tmp_path / "sub").mkdir()
    (tmp_path / "c").write_bytes(b"")
    (tmp_path / "repaired").write_bytes(b"one")
    rows = [("1", "a"), ("2", "b"), ("3", "gone"), ("4", "sub"), ("5", "c"), ("6", "a")]
    rows.append(("7", "repaired"))
    digest_of = {"a": ONE, "b": ONE, "gone": ONE, "sub": "", "c": "", "repaired": ""}
    found = list_pictures(rows, digest_of, ImageFolder(tmp_path))
    assert [picture.item_id for picture in found] == ["1", "2", "3", "4", "5", "6", "7"]
    assert [picture.digest for picture in found] == [ONE, ONE, "", "", "", ONE, ""]
    assert [picture.reason for picture in found] == [
        "",
        "",
        "image not found in the folder catalog.images",
        "image is a folder, not a file",
        "file is empty",
        "",
        CHANGED,
    ]


def test_a_picture_with_a_digest_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"one")
    monkeypatch.delattr("pathlib.Path.read_bytes")
    (picture,) = list_pictures([("1", "a")], {"a": ONE}, ImageFolder(tmp_path))
    assert picture.digest == ONE


def test_a_name_is_not_looked_for_elsewhere(tmp_path):
    """The catalogue drops folders in front of a name; an item's image is a path as it stands."""
    (tmp_path / "a").write_bytes(b"one")
    (picture,) = list_pictures([("1", "old/a")], {"old/a": ONE}, ImageFolder(tmp_path))
    assert picture.reason == "image not found in the folder catalog.images"


def test_an_image_that_the_catalogue_stage_does_not_know_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^image_features: item 1: .* digest of a; run stage cat"):
        list_pictures([("1", "a")], {}, ImageFolder(tmp_path))
