from PIL import Image

from pipeline.evaluation.gallery import Card, GalleryRow
from pipeline.evaluation.picture import HIT, MISS, draw_gallery

CARD = Card("3.png", "a thing", "bags<small", "image", hit=True)


def colours(path):
    image = Image.open(path).convert("RGB")
    return {colour for _, colour in image.getcolors(image.width * image.height)}


def near(colour, found):
    wanted = tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return any(sum(abs(a - b) for a, b in zip(wanted, one, strict=True)) < 12 for one in found)


def test_hits_and_misses_have_frames_of_their_own(pictures, tmp_path):
    miss = CARD._replace(hit=False, shown="text")
    row = GalleryRow("image_to_text", "random", CARD, [CARD, miss])
    draw_gallery(tmp_path / "gallery.png", [row, row], pictures, "#ffffff", "<")
    found = colours(tmp_path / "gallery.png")
    assert near(HIT, found)
    assert near(MISS, found)
    only_hits = GalleryRow("image_to_text", "random", CARD, [CARD])
    draw_gallery(tmp_path / "hits.png", [only_hits], pictures, "#ffffff", "<")
    assert not near(MISS, colours(tmp_path / "hits.png"))


def test_without_rows_there_is_still_a_picture(pictures, tmp_path):
    draw_gallery(tmp_path / "gallery.png", [], pictures, "#ffffff", "<")
    assert Image.open(tmp_path / "gallery.png").width > 0
