import os

import pytest

from pipeline.core.errors import BadRowError, InputError
from pipeline.pictures.folder import ImageFolder, open_images


@pytest.fixture
def images(tmp_path):
    """images/{1163.jpg, a b.jpg, shoes/2.jpg, shoes/é&.jpg} beside secret.jpg."""
    folder = tmp_path / "images"
    (folder / "shoes").mkdir(parents=True)
    for name in ("1163.jpg", "a b.jpg", "shoes/2.jpg", "shoes/é&.jpg", "../secret.jpg"):
        (folder / name).write_bytes(b"x")
    return folder


def reason(folder, value):
    with pytest.raises(BadRowError) as caught:
        ImageFolder(folder).find(value)
    return str(caught.value)


FOUND = [
    ("1163.jpg", "1163.jpg"),
    (" 1163.jpg ", "1163.jpg"),
    ("a b.jpg", "a b.jpg"),
    ("./1163.jpg", "1163.jpg"),
    ("shoes/2.jpg", "shoes/2.jpg"),
    (".//shoes/é&.jpg", "shoes/é&.jpg"),
    ("shoes\\2.jpg", "shoes/2.jpg"),
    ("shoes/../1163.jpg", "1163.jpg"),
    ("../images/1163.jpg", "1163.jpg"),
]
BAD = [
    ("", "image is empty"),
    ("  ", "image is empty"),
    (" https://x.y/1163.jpg", "image is a URL; huse fetch_pictures downloads such pictures"),
    ("images/1163.jpg", "image not found in the folder catalog.images"),
    ("9.jpg", "image not found in the folder catalog.images"),
    ("1163.jpg/2.jpg/3.jpg", "image not found in the folder catalog.images"),
    ("x\0.jpg", "image not found in the folder catalog.images"),
    ("x" * 5000, "image not found in the folder catalog.images"),
    ("shoes", "image is a folder, not a file"),
    ("shoes/", "image is a folder, not a file"),
    (".", "image is a folder, not a file"),
]
OUTSIDE = [
    "../secret.jpg",
    "shoes/../../secret.jpg",
    "..\\secret.jpg",
    "/etc/hostname",
    "C:\\photos\\1163.jpg",
    "\\\\server\\photos\\1163.jpg",
    "../images2/1163.jpg",
]


@pytest.mark.parametrize(("value", "found"), FOUND)
def test_a_picture_is_found_below_the_folder(images, value, found):
    assert ImageFolder(images).find(value) == found


def test_first_folders_are_left_out_where_asked_to_and_only_so_many(images):
    (images / "2.jpg").write_bytes(b"x")
    folder = ImageFolder(images)
    assert folder.find("images/shoes/2.jpg", 1) == "shoes/2.jpg"
    assert folder.find("images\\shoes\\2.jpg", 2) == "2.jpg"
    assert folder.find("shoes/2.jpg", 1) == "shoes/2.jpg", "right as it stands"
    assert folder.find("2.jpg", 3) == "2.jpg"
    with pytest.raises(BadRowError, match="not found"):
        folder.find("boots/shoes/3.jpg", 1)


def test_without_which_folders_a_name_is_right_is_told(images):
    (images / "2.jpg").write_bytes(b"x")
    folder = ImageFolder(images)
    assert folder.leading_folders("images/shoes/2.jpg") == [1, 2]
    assert folder.leading_folders("shoes/2.jpg") == [0, 1]
    assert folder.leading_folders(str(images / "2.jpg")) == [0]
    for name in ("9.jpg", "../secret.jpg", "", str(images / "elsewhere" / "2.jpg")):
        assert folder.leading_folders(name) == []


def test_an_absolute_name_inside_the_folder_is_found_as_it_stands(images):
    assert ImageFolder(images).find(str(images / "shoes" / "2.jpg")) == "shoes/2.jpg"
    assert "not found" in reason(images, str(images / "elsewhere" / "1163.jpg"))


def test_a_relative_folder_serves_too(images, monkeypatch):
    monkeypatch.chdir(images.parent)
    folder = ImageFolder(type(images)("images"))
    assert folder.find("1163.jpg") == "1163.jpg"
    assert folder.find(str(images / "1163.jpg")) == "1163.jpg"


@pytest.mark.parametrize("value", OUTSIDE)
def test_a_name_that_leaves_the_folder_is_refused_and_not_shortened(images, value):
    assert reason(images, value) == "image lies outside the folder catalog.images"


@pytest.mark.parametrize(("value", "expected"), BAD)
def test_a_name_without_a_file_is_refused(images, value, expected):
    assert reason(images, value) == expected


def test_links_are_followed_inside_the_folder_only(images):
    (images / "inside.jpg").symlink_to("shoes/2.jpg")
    (images / "boots").symlink_to("shoes")
    (images / "outside.jpg").symlink_to("../secret.jpg")
    (images / "up").symlink_to("..")
    (images / "dangling.jpg").symlink_to("nowhere.jpg")
    folder = ImageFolder(images)
    assert folder.find("inside.jpg") == "inside.jpg"
    assert folder.find("images/boots/2.jpg", 1) == "boots/2.jpg"
    assert folder.find("up/images/1163.jpg") == "up/images/1163.jpg"
    link = "image is a link that leads outside the folder catalog.images"
    assert reason(images, "outside.jpg") == reason(images, "up/secret.jpg") == link
    assert "not found" in reason(images, "dangling.jpg")
    assert "folder" in reason(images, "boots")


def test_the_folder_itself_may_be_a_link(images):
    link = images.parent / "link"
    link.symlink_to("images")
    folder = ImageFolder(link)
    assert folder.find("shoes/2.jpg") == "shoes/2.jpg"
    assert folder.find(str(images / "1163.jpg")) == "1163.jpg"
    assert folder.find(str(link / "1163.jpg")) == "1163.jpg"


def test_a_missing_folder_and_a_file_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"catalog\.images: .*images not found"):
        ImageFolder(tmp_path / "images")
    (tmp_path / "images").write_bytes(b"x")
    with pytest.raises(InputError, match=r"catalog\.images: .*images is not a folder"):
        ImageFolder(tmp_path / "images")


def refuse_to_list(monkeypatch, refused):
    """As for a folder without the permission to read it, which does not stop root."""
    scandir = os.scandir

    def scan(path):
        if os.path.realpath(path) == str(refused):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)


def test_a_folder_below_that_cannot_be_listed_has_no_pictures(images, monkeypatch):
    (images / "shoes" / "boots").mkdir()
    (images / "shoes" / "boots" / "3.jpg").write_bytes(b"x")
    refuse_to_list(monkeypatch, images / "shoes" / "boots")
    folder = ImageFolder(images)
    assert folder.find("1163.jpg") == "1163.jpg"
    assert folder.find("shoes/2.jpg") == "shoes/2.jpg"
    assert reason(images, "shoes/boots/3.jpg") == "image not found in the folder catalog.images"


def test_the_folder_itself_must_be_listed(images, monkeypatch):
    refuse_to_list(monkeypatch, images)
    with pytest.raises(InputError, match=r"cannot be listed \(.*Permission denied"):
        ImageFolder(images)


def test_a_link_may_lead_into_a_folder_that_was_named(images, tmp_path):
    """DVC can keep contents in its cache and leave links in their place."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "d41d8c").write_bytes(b"x")
    (images / "linked.jpg").symlink_to(tmp_path / "cache" / "d41d8c")
    (images / "stolen.jpg").symlink_to(tmp_path / "secret.jpg")
    folder = ImageFolder(images, [tmp_path / "cache"])
    assert folder.find("linked.jpg") == "linked.jpg"
    assert "leads outside" in reason(images, "linked.jpg")
    with pytest.raises(BadRowError, match="leads outside"):
        folder.find("stolen.jpg")


@pytest.fixture
def remote(bucket):
    """The same files as `images`, in a bucket."""
    for name in ("1163.jpg", "a b.jpg", "shoes/2.jpg", "shoes/é&.jpg", "../secret.jpg"):
        path = f"images/{name}" if not name.startswith("..") else "secret.jpg"
        (bucket / path).write_bytes(b"x")
    return bucket / "images"


@pytest.mark.parametrize("value", [name for name, _ in FOUND])
def test_pictures_of_another_filesystem_are_found_as_on_this_machine(images, remote, value):
    assert open_images(remote).find(value) == ImageFolder(images).find(value)


@pytest.mark.parametrize("value", [*OUTSIDE, "s3://elsewhere/1163.jpg", *(bad for bad, _ in BAD)])
def test_what_is_refused_on_this_machine_is_refused_on_another_filesystem(images, remote, value):
    expected = reason(images, value) if "elsewhere" not in value else "outside the folder"
    with pytest.raises(BadRowError, match=expected):
        open_images(remote).find(value)


def test_a_whole_uri_is_found_as_it_stands(remote):
    assert open_images(remote).find(f"{remote}/shoes/2.jpg") == "shoes/2.jpg"
    with pytest.raises(BadRowError, match="not found"):
        open_images(remote).find(f"{remote}/elsewhere/1163.jpg")
    with pytest.raises(BadRowError, match="outside"):
        open_images(remote).find(f"{remote}/../secret.jpg")


def test_a_missing_folder_of_another_filesystem_is_refused(remote, bucket):
    for name in ("nowhere", "secret.jpg"):
        with pytest.raises(InputError, match=rf"catalog\.images: s3://.*/{name} not found"):
            open_images(bucket / name)
