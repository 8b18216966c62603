"""A tree of folders as a catalogue: the folders are the class path, the file's name is the text."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from pipeline.catalog.rows import Row, Source
from pipeline.core.errors import InputError

PICTURES = frozenset(
    (*(".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"), *(".tif", ".tiff", ".avif", ".heic"))
)
"""Endings of files that are rows; others lie beside them and are nobody's mistake."""
TEXT = ".txt"
_BETWEEN_WORDS = re.compile(r"[\s_+.-]+")


def read_picture_tree(folder: Path, separator: str, encoding: str, source: Source) -> Iterator[Row]:
    """Yield a row per picture below a folder: image, text, classes; sorted by path.

    The class path is the folders between `folder` and the picture; a picture that lies in `folder`
    itself has none. The text is what stands in a file of the same name that ends in TEXT, or the
    name of the picture with blanks between its words. Hidden files and folders are left out.

    Args:
        folder: The folder.
        separator: What joins the parts of a class path.
        encoding: Of the texts.
        source: What the user calls the folder.

    Raises:
        InputError: There is no picture in it, or it cannot be listed.
    """
    names = sorted(_files(folder, source))
    texts = {name.removesuffix(TEXT): name for name in names if name.endswith(TEXT)}
    pictures = [name for name in names if PurePosixPath(name).suffix.lower() in PICTURES]
    if not pictures:
        raise InputError(
            f"{source.path}: no picture ({', '.join(sorted(PICTURES))}) in the folder {folder}"
        )
    for number, name in enumerate(pictures, start=1):
        stem, reason = str(PurePosixPath(name).with_suffix("")), ""
        text = words_of(PurePosixPath(name).stem)
        if stem in texts:
            try:
                written = (folder / texts[stem]).read_text(encoding=encoding).removeprefix("\ufeff")
                text = written if written.strip() else text
            except (OSError, UnicodeError) as error:
                reason = f"{texts[stem]} cannot be read as {encoding} ({error})"
        yield Row(number, [name, text, separator.join(name.split("/")[:-1])], reason)


def words_of(name: str) -> str:
    """The words of a file's name: `red_evening-dress 01` says `red evening dress 01`."""
    return _BETWEEN_WORDS.sub(" ", unquote(name)).strip()


def _files(folder: Path, source: Source) -> Iterator[str]:
    """Paths of all files below a folder, with slashes; folders that are links are not entered."""

    def refuse(error: OSError) -> None:
        raise InputError(f"{source.path}: {error.filename} cannot be listed ({error.strerror})")

    for place, below, files in os.walk(folder, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        start = Path(place).relative_to(folder)
        for name in files:
            if not name.startswith("."):
                yield (start / name).as_posix()
