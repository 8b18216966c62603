"""Catalogues of unlike kind and size to develop on, made from packages and from `../shared`."""

import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import resvg_py
from PIL import Image

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.sample.openmoji import make_sample_catalog

SHARED = Path("../shared/data")
STAMPS = Path("/usr/share/tuxpaint/stamps")
PIXELS = 224
NOISE_PIXELS = 64


class Source(NamedTuple):
    """Where a catalogue comes from."""

    make: Callable[[Path], None]
    """Writes catalog.csv and images/ into a folder."""
    cut: int | None = None
    """Rows that a seed draws of it; None: all."""
    grouped: bool = False
    """Whether the table has a column `group`."""
    about: str = ""


def _sample(folder: Path) -> None:
    made = folder / "made"
    make_sample_catalog(made)
    for path in made.iterdir():
        path.rename(folder / path.name)
    made.rmdir()


def _grey_sample(folder: Path) -> None:
    """The pictures of the sample without colour, which the backbone has hardly seen."""
    _sample(folder)
    for path in (folder / "images").iterdir():
        with Image.open(path) as picture:
            flat = Image.new("RGBA", picture.size, "white")
            flat.alpha_composite(picture.convert("RGBA"))
        flat.convert("L").save(path)


def _fashion(folder: Path) -> None:
    with tarfile.open(_needed(SHARED / "fashion-dev.tar")) as archive:
        for member in archive.getmembers():
            path = folder / member.name
            if member.isfile() and path.resolve().is_relative_to(folder.resolve()):
                path.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None, "a file has a content"
                path.write_bytes(content.read())


def _netaporter(folder: Path) -> None:
    """Real names; of the pictures there are none, so each gets noise, which says nothing."""
    table = pd.read_csv(_needed(SHARED / "netaporter-text.csv"))
    (folder / "images").mkdir()
    generator = np.random.default_rng(0)
    for name in table["image"]:
        noise = generator.integers(0, 256, (NOISE_PIXELS, NOISE_PIXELS, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "images" / name)
    table.to_csv(folder / "catalog.csv", index=False)


def _stamps(folder: Path) -> None:
    """Photographs and drawings of Tux Paint with their captions; a class is a folder."""
    if not STAMPS.is_dir():
        raise InputError(f"{STAMPS}: not found; install Debian's tuxpaint-stamps-default")
    (folder / "images").mkdir()
    rows = list(_stamp_rows(folder / "images"))
    pd.DataFrame(rows, columns=["image", "text", "classes"]).to_csv(
        folder / "catalog.csv", index=False
    )


def _stamp_rows(images: Path) -> Iterator[tuple[str, str, str]]:
    seen: set[str] = set()
    for path in sorted([*STAMPS.rglob("*.png"), *STAMPS.rglob("*.svg")]):
        place = path.relative_to(STAMPS)
        name = "-".join(place.with_suffix(".png").parts)
        caption = path.with_suffix(".txt")
        if name in seen or path.stem.endswith("_mirror") or not caption.exists():
            continue
        if path.suffix == ".png":
            shutil.copy(path, images / name)
        else:
            try:
                drawn = resvg_py.svg_to_bytes(
                    svg_path=str(path), width=PIXELS, height=PIXELS, skip_system_fonts=True
                )
            except ValueError:  # a drawing without a size
                continue
            (images / name).write_bytes(drawn)
        seen.add(name)
        # The first line is English; the others are translations.
        text = caption.read_text(encoding="utf-8", errors="replace").splitlines()[0]
        yield name, text, "<".join(place.parts[:-1])


def _needed(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path}: not found; run in a checkout with that folder beside it")
    return path


SOURCES = {
    "sample": Source(_sample, grouped=True, about="OpenMoji drawings and Unicode names"),
    "sample_700": Source(_sample, 700, True, "700 of them"),
    "grey": Source(_grey_sample, grouped=True, about="the same without colour"),
    "stamps": Source(_stamps, about="photographs and drawings of Tux Paint with captions"),
    "netaporter": Source(_netaporter, about="fashion names; pictures of noise"),
    "fashion_600": Source(_fashion, 600, about="600 fashion products"),
    "fashion_3000": Source(_fashion, 3000, about="3,000 fashion products"),
    "fashion": Source(_fashion, about="fashion products"),
}


def make_raw(name: str, folder: Path) -> Path:
    """Make a catalogue's table and pictures, unless they are there; cuts share them.

    Args:
        name: One of SOURCES.
        folder: Where all catalogues are.

    Returns:
        The folder with catalog.csv and images/.
    """
    out = folder / "raw" / name.split("_")[0]
    if not out.exists():
        with atomic_path(out) as temporary:
            temporary.mkdir(parents=True)
            SOURCES[name].make(temporary)
    return out
