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
