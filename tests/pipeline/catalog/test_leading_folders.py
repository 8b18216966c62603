import pytest

from pipeline.catalog.leading_folders import NamedPictures
from pipeline.core.errors import BadRowError
from pipeline.pictures.folder import ImageFolder, open_images


@pytest.fixture
def folder(tmp_path):
    """1.jpg to 5.jpg and women/1.jpg."""
    (tmp_path / "women").mkdir()
    for name in ("1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "women/1.jpg"):
        (tmp_path / name).write_bytes(b"x")
    return ImageFolder(tmp_path)


def reason(pictures, name):
    with pytest.raises(BadRowError) as caught:
        pictures.find(name)
    return str(caught.value)


def test_names_that_are_right_as_they_stand_are_not_shortened(folder):
    pictures = NamedPictures(folder, ["1.jpg", "women/1.jpg", "women/2.jpg", "3.jpg"])
    assert pictures.describe() is None
    assert pictures.find("women/1.jpg") == "women/1.jpg"
    assert reason(pictures, "women/2.jpg") == (
        "image not found in the folder catalog.images; it is there without its first folder, but "
        "most names are right as they stand, so it may be another picture: write the name as in "
        "the folder"
    )
    assert reason(pictures, "women/9.jpg") == "image not found in the folder catalog.images"


def test_the_number_under_which_most_names_are_found_holds_for_all(folder):
    names = ["a/b/1.jpg", "a\\\\b\\2.jpg", "c/d/3.jpg", "women/1.jpg", "e/4.jpg"]
    pictures = NamedPictures(folder, iter(names))
    assert pictures.describe() == (
        "names of pictures are read without their first 2 folders: so 3 are found, and 1 as they "
        "stand"
    )
    assert [pictures.find(name) for name in names[:4]] == ["1.jpg", "2.jpg", "3.jpg", "women/1.jpg"]
    assert "without its first folder, but most names are right without" in reason(
        pictures, "e/4.jpg"
    )


def test_as_they_stand_wins_where_as_many_are_found_so(folder):
    pictures = NamedPictures(folder, ["women/1.jpg"] * 3)
    assert pictures.describe() is None
    assert pictures.find("women/1.jpg") == "women/1.jpg"


def test_absolute_names_are_right_as_they_stand_only(folder):
    pictures = NamedPictures(folder, ["old/1.jpg", "old/2.jpg"])
    assert pictures.find(str(folder.folder / "3.jpg")) == "3.jpg"
    assert reason(pictures, str(folder.folder / "old" / "3.jpg")).endswith("catalog.images")


def test_names_that_cannot_be_settled_do_no_harm(folder):
    pictures = NamedPictures(folder, ["", "../x.jpg", "nowhere.jpg", "C:\\1.jpg"])
    assert pictures.describe() is None
    assert pictures.find("1.jpg") == "1.jpg"


def test_pictures_of_another_filesystem_are_settled_alike(bucket):
    (bucket / "images" / "1.jpg").write_bytes(b"x")
    pictures = NamedPictures(open_images(bucket / "images"), ["old/1.jpg"])
    assert pictures.find("old/1.jpg") == "1.jpg"
