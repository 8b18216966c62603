from io import BytesIO

import pytest
from PIL import Image

from pipeline.pictures.file import UnreadableImageError
from pipeline.pictures.received import MOST_SCANS, require_decodable


def picture(kind, size=(30, 20), **options):
    stream = BytesIO()
    Image.new("RGB", size).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_usual_picture_may_be_decoded(kind):
    require_decodable(picture(kind), 600)
    require_decodable(picture("JPEG", progressive=True), 600)


def test_too_many_pixels_or_scans_and_no_picture_are_refused():
    with pytest.raises(UnreadableImageError, match=r"2 megapixels; 1\.5 are the limit"):
        require_decodable(picture("PNG", (2000, 1000)), 1_500_000)
    scans = picture("JPEG") + MOST_SCANS * b"\xff\xda"
    with pytest.raises(UnreadableImageError, match="more than 40 scans"):
        require_decodable(scans, 600)
    for data in (b"", b"not a picture"):
        with pytest.raises(UnreadableImageError):
            require_decodable(data, 600)
