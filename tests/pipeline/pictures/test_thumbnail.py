import numpy as np
import simplejpeg
from PIL import Image

from pipeline.pictures.thumbnail import thumbnail


def test_the_longer_side_fits_and_the_shape_is_kept(numbered_pictures):
    # 11.png is 31 x 16.
    assert thumbnail(numbered_pictures / "11.png", 62, "#ffffff").size == (62, 32)


def test_a_grey_square_stands_for_a_picture_that_cannot_be_read(tmp_path):
    found = thumbnail(tmp_path / "gone.png", 10, "#ffffff")
    assert found.size == (10, 10)
    assert found.getpixel((5, 5)) == (0x99, 0x99, 0x99)


def test_a_picture_may_be_on_another_filesystem(numbered_pictures, bucket):
    (bucket / "11.png").write_bytes((numbered_pictures / "11.png").read_bytes())
    found = thumbnail(bucket / "11.png", 62, "#ffffff")
    assert found.tobytes() == thumbnail(numbered_pictures / "11.png", 62, "#ffffff").tobytes()


def test_a_photograph_is_decoded_at_a_part_of_its_size_and_looks_the_same(tmp_path, monkeypatch):
    row, column = np.mgrid[:900, :1200]
    wave = np.sin(row / 60) + np.cos(column / 90)
    pixels = np.stack([wave * 60 + 128, row / 4, column / 5], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.jpg", quality=95)
    found = thumbnail(tmp_path / "x.jpg", 64, "#ffffff")
    whole = Image.open(tmp_path / "x.jpg").resize((64, 48), Image.Resampling.BICUBIC)
    assert found.size == whole.size
    assert np.abs(np.asarray(found, int) - np.asarray(whole, int)).max() < 6
    decoded = []

    def note(*args, **options):
        decoded.append(decode(*args, **options))
        return decoded[-1]

    decode = simplejpeg.decode_jpeg
    monkeypatch.setattr(simplejpeg, "decode_jpeg", note)
    thumbnail(tmp_path / "x.jpg", 64, "#ffffff")
    assert max(decoded[0].shape) <= 300
