from io import BytesIO

import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.core.location import locate
from pipeline.web.pictures import Pictures, picture_name


def make(folder, *files, side=8, background="#ffffff"):
    return Pictures(folder, files, side=side, background=background)


def test_a_picture_is_drawn_small_by_its_name(numbered_pictures):
    pictures = make(numbered_pictures, "", "2.png", "5.png")
    with Image.open(BytesIO(pictures.draw(pictures.name(2)))) as drawn:
        assert (drawn.format, max(drawn.size)) == ("JPEG", 8)
    assert pictures.draw(pictures.name(1)) != pictures.draw(pictures.name(2))
    assert pictures.draw(pictures.name(0)) is None, "an item without a picture"


def test_the_name_is_nobodys_when_another_picture_has_the_place(numbered_pictures):
    before = make(numbered_pictures, "1.png", "2.png", "3.png")
    after = make(numbered_pictures, "1.png", "3.png", "2.png")
    assert after.draw(before.name(0)) == before.draw(before.name(0))
    assert [after.draw(before.name(place)) for place in (1, 2)] == [None, None]


@pytest.mark.parametrize(
    "name",
    [
        *("", "0", "-1", "0-", "x-123456789abc", "0-123456789abc", "0-123456789abc/../x"),
        *("1.png", "99999999999999999999-123456789abc", "\u0660-123456789abc"),
    ],
)
def test_no_other_name_is_anybodys(numbered_pictures, name):
    assert make(numbered_pictures, "1.png").draw(name) is None


@pytest.mark.parametrize("file", ["../secret.png", "/etc/passwd", "s3://bucket/x.png"])
def test_nothing_outside_of_the_folder_is_drawn(numbered_pictures, file):
    assert make(numbered_pictures, file).draw(picture_name(0, file)) is None


def test_a_folder_that_does_not_answer_is_an_error(s3):
    silent = locate("s3://a?endpoint_override=127.0.0.1:1&scheme=http", "catalog.images")
    pictures = make(silent, "1.png")
    with pytest.raises(InputError):
        pictures.draw(pictures.name(0))
