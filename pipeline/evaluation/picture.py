"""A gallery as one PNG: what `dvc plots show` and the README display."""

import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pipeline.evaluation.gallery import Card, GalleryRow
from pipeline.evaluation.thumbnail import thumbnail
from pipeline.files.atomic import atomic_path

CELL = 96
GAP = 8
CAPTION = 30
# Okabe and Ito's blue and vermilion, told apart with any kind of colour vision.
HIT, MISS = "#0072B2", "#D55E00"


def draw_gallery(path: Path, rows: list[GalleryRow], images: Path, background: str) -> None:
    """Draw a row per query: the query, then its results, framed blue (hit) or orange (miss).

    Args:
        path: PNG file.
        rows: What to draw.
        images: Folder of the pictures.
        background: Colour under transparent pixels.

    Raises:
        InputError: The folder cannot be written to.
    """
    columns = 1 + max(len(row.results) for row in rows)
    width = GAP + columns * (CELL + GAP) + 2 * GAP
    height = GAP + len(rows) * (CELL + CAPTION + GAP)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        top = GAP + number * (CELL + CAPTION + GAP)
        _draw_card(sheet, draw, row.query, (GAP, top), images, background, frame="#000000")
        draw.text((GAP, top + CELL + 3), row.direction.replace("_", " "), fill="#000000")
        for column, card in enumerate(row.results, start=1):
            left = 3 * GAP + column * (CELL + GAP)
            frame = HIT if card.hit else MISS
            _draw_card(sheet, draw, card, (left, top), images, background, frame)
            # The end of a class path tells more than its beginning.
            name = card.class_path if len(card.class_path) <= 40 else f"...{card.class_path[-37:]}"
            draw.text((left, top + CELL + 3), textwrap.fill(name, 17), fill=frame, font=_font(9))
    with atomic_path(path) as temporary:
        sheet.save(temporary, format="PNG")


def _draw_card(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    card: Card,
    corner: tuple[int, int],
    images: Path,
    background: str,
    frame: str,
) -> None:
    left, top = corner
    if card.shown == "image":
        picture = thumbnail(images / card.image, CELL - 8, background)
        offset = ((CELL - picture.width) // 2, (CELL - picture.height) // 2)
        sheet.paste(picture, (left + offset[0], top + offset[1]))
    else:
        text = card.text if len(card.text) <= 66 else f"{card.text[:63]}..."
        draw.text((left + 6, top + 6), textwrap.fill(text, 14), fill="#000000", font=_font(11))
    draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=frame, width=2)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
