import hashlib

from pipeline.catalog.images import ImageFolder
from pipeline.image.pictures import read_pictures


def test_pictures_have_the_digest_of_their_content_or_a_reason(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"one")
    (tmp_path / "sub").mkdir()
    (tmp_path / "c").write_bytes(b"")
    (tmp_path / "unreadable").write_bytes(b"x")
    rows = [("1", "a"), ("2", "b"), ("3", "gone"), ("4", "sub"), ("5", "c"), ("6", "a")]
    found = read_pictures(rows, ImageFolder(tmp_path))
    assert [picture.item_id for picture in found] == ["1", "2", "3", "4", "5", "6"]
    one = hashlib.sha256(b"one").hexdigest()
    assert [picture.digest for picture in found] == [one, one, "", "", "", one]
    assert [picture.reason for picture in found] == [
        "",
        "",
        "image not found in the folder catalog.images",
        "image is a folder, not a file",
        "file is empty",
        "",
    ]
    assert found[0].path == tmp_path / "a"


def test_a_name_is_not_looked_for_elsewhere(tmp_path):
    """The catalogue drops folders in front of a name; an item's image is a path as it stands."""
    (tmp_path / "a").write_bytes(b"one")
    (picture,) = read_pictures([("1", "old/a")], ImageFolder(tmp_path))
    assert picture.reason == "image not found in the folder catalog.images"
