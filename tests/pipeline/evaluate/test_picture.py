import numpy as np
import pytest
from PIL import Image, ImageFont

from pipeline.evaluate.gallery import Card, GalleryRow
from pipeline.evaluate.picture import CELL, GAP, HIT, INSET, MARGIN, MISS, draw_gallery, fit_text

CHINESE = "\u7ea2\u8272\u7f8a\u6bdb\u9488\u7ec7\u886b\u5973\u58eb" * 12
KOREAN = "\ube68\uac04 \uc2a4\uc6e8\ud130 " * 20
TITLES = [CHINESE, KOREAN, "W" * 100, "Wide Word " * 10, "a" * 40, f"red {CHINESE}", ""]

CARD = Card("3.png", "a thing", "bags<small", "image", hit=True)


def colours(path):
    image = Image.open(path).convert("RGB")
    return {colour for _, colour in image.getcolors(image.width * image.height)}


def near(colour, found):
    wanted = tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return any(sum(abs(a - b) for a, b in zip(wanted, one, strict=True)) < 12 for one in found)


def test_hits_and_misses_have_frames_of_their_own(numbered_pictures, tmp_path):
    miss = CARD._replace(hit=False, shown="text")
    row = GalleryRow("image_to_text", "random", CARD, [CARD, miss])
    draw_gallery(tmp_path / "gallery.png", [row, row], numbered_pictures, "#ffffff", "<")
    found = colours(tmp_path / "gallery.png")
    assert near(HIT, found)
    assert near(MISS, found)
    only_hits = GalleryRow("image_to_text", "random", CARD, [CARD])
    draw_gallery(tmp_path / "hits.png", [only_hits], numbered_pictures, "#ffffff", "<")
    assert not near(MISS, colours(tmp_path / "hits.png"))


def test_without_rows_there_is_still_a_picture(numbered_pictures, tmp_path):
    draw_gallery(tmp_path / "gallery.png", [], numbered_pictures, "#ffffff", "<")
    assert Image.open(tmp_path / "gallery.png").width > 0


@pytest.mark.parametrize("title", TITLES)
def test_a_title_of_any_script_stays_inside_its_tile(numbered_pictures, tmp_path, title):
    def drawn(text):
        query = CARD._replace(text=text, shown="text", class_path=f"all<{text}")
        path = tmp_path / "gallery.png"
        draw_gallery(
            path, [GalleryRow("x", "random", query, [CARD])], numbered_pictures, "#ffffff", "<"
        )
        return np.asarray(Image.open(path).convert("L")) < 200

    ink = drawn(title)
    first, second = MARGIN, MARGIN + CELL + 3 * GAP
    assert not ink[:, first - GAP : first].any()
    assert not ink[:, first + CELL : second].any()
    # Between the text, of which a W stands out by a pixel, and the frame; then the text itself.
    beside = slice(CELL - INSET + 1, CELL - 2)
    assert not ink[GAP + 3 : GAP + CELL - 2, first:][:, beside].any()
    assert not ink[GAP:, first + 3 : first + CELL - 2][beside].any()
    inside = np.s_[GAP + 3 : GAP + CELL - 2, first + 3 : first + CELL - 2]
    assert (ink[inside].sum() > drawn("...")[inside].sum()) == bool(title)


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("lines", [1, 3, 200])
def test_lines_are_no_wider_than_they_may_be(title, lines):
    font = ImageFont.load_default(11)
    fitted = fit_text(title, font, 80, lines=lines).split("\n")
    assert len(fitted) <= lines
    assert all(font.getlength(line) <= 80 for line in fitted)
    kept, whole = ("".join(text.split()) for text in ("".join(fitted), title))
    if lines == 200:
        assert kept == whole
    else:
        assert whole.startswith(kept.removesuffix("..."))
        # No line could take the next letter too.
        assert all(font.getlength(line) > 40 for line in fitted if title)


def test_words_stay_whole_where_they_can():
    font = ImageFont.load_default(11)
    assert fit_text("red\nankle boots", font, 80, lines=5) == "red ankle\nboots"
    assert fit_text("red ankle boots of leather", font, 80, lines=2) == "red ankle\nboots of..."
