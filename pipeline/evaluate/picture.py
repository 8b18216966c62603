"""A gallery as one PNG: what `dvc plots show` and the README display."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pipeline.core.atomic import atomic_path
from pipeline.core.location import Location
from pipeline.evaluate.gallery import Card, GalleryRow
from pipeline.pictures.thumbnail import thumbnail

CELL = 92
GAP = 6
CAPTION = 16
MARGIN = 96
"""Room for the direction's name on the left."""
RESULTS = 6
"""Results drawn per query."""
INSET = 6
"""Between a tile's edge and its text."""
LINES = 5
"""Lines of text that a tile has room for."""
# Okabe and Ito's blue and vermilion, told apart with any kind of colour vision.
HIT, MISS, INK = "#0072B2", "#D55E00", "#222222"
DOTS = "..."

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_gallery(
    path: Path, rows: list[GalleryRow], images: Location, background: str, separator: str
) -> None:
    """Draw a row per query: the query, then its results, framed blue (hit) or orange (miss).

    Args:
        path: PNG file.
        rows: What to draw; none gives a picture that says so.
        images: Folder of the pictures.
        background: Colour under transparent pixels.
        separator: What joins the parts of a class path; captions show the last part.

    Raises:
        InputError: The folder cannot be written to.
    """
    pitch = CELL + GAP
    width = MARGIN + (1 + RESULTS) * pitch + 2 * GAP
    height = max(GAP + len(rows) * (CELL + CAPTION + GAP), CELL)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    if not rows:
        draw.text((GAP, GAP), "no results: the test split is too small", fill=INK, font=_font(13))
    for number, row in enumerate(rows):
        top = GAP + number * (CELL + CAPTION + GAP)
        words = row.direction.replace("_to_", " to\n")
        draw.text((GAP, top + CELL // 3), words, fill=INK, font=_font(13))
        cards = [row.query, *row.results[:RESULTS]]
        for column, card in enumerate(cards):
            left = MARGIN + column * pitch + (2 * GAP if column > 0 else 0)
            frame = INK if column == 0 else HIT if card.hit else MISS
            _draw_card(sheet, draw, card, (left, top), images, background, frame)
            leaf = card.class_path.split(separator)[-1]
            caption = fit_text(leaf, _font(10), CELL, lines=1)
            draw.text((left, top + CELL + 1), caption, fill=frame, font=_font(10))
    with atomic_path(path) as temporary:
        # 128 colours are enough at this size and make the file a third as large.
        sheet.quantize(128, dither=Image.Dither.NONE).save(temporary, format="PNG", optimize=True)


def fit_text(text: str, font: Font, width: int, *, lines: int) -> str:
    """Break a text into lines by its drawn width, between words where that is possible.

    Letters are of many widths, and some scripts have no spaces: a count of letters will not do.

    Args:
        text: Any text; line breaks in it count as spaces.
        font: What it is drawn with.
        width: Of a line in pixels, at least that of the dots.
        lines: Most lines; of a longer text the beginning is kept, with dots.

    Returns:
        Lines none of which is wider.
    """
    found = [""]
    for word in text.split():
        joined = f"{found[-1]} {word}".lstrip()
        if font.getlength(joined) <= width:
            found[-1] = joined
        elif font.getlength(word) <= width:
            found.append(word)
        else:
            found[-1] += " " if found[-1] else ""
            for letter in word:
                if font.getlength(found[-1] + letter) > width:
                    found.append("")
                found[-1] += letter
        if len(found) > lines:
            break
    if len(found) > lines:
        last = found[lines - 1]
        while font.getlength(last + DOTS) > width:
            last = last[:-1]
        found = [*found[: lines - 1], last.rstrip() + DOTS]
    return "\n".join(line.rstrip() for line in found)


def _draw_card(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    card: Card,
    corner: tuple[int, int],
    images: Location,
    background: str,
    frame: str,
) -> None:
    left, top = corner
    if card.shown != "text":
        picture = thumbnail(images / card.image, CELL - 8, background)
        offset = ((CELL - picture.width) // 2, (CELL - picture.height) // 2)
        sheet.paste(picture, (left + offset[0], top + offset[1]))
    else:
        words = fit_text(card.text, _font(11), CELL - 2 * INSET, lines=LINES)
        draw.text((left + INSET, top + INSET), words, fill=INK, font=_font(11))
    draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=frame, width=2)


def _font(size: int) -> Font:
    return ImageFont.load_default(size)
