"""A text of the user: its encoding, and whether it is whole."""

import codecs
import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from pipeline.catalog.rows import Source
from pipeline.core.errors import InputError

CHUNK = 2**20
"""Bytes in memory while a text is checked."""
EXCEL = "cp1252"
"""What Excel writes where it says CSV and not CSV UTF-8, in western Europe and America."""
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# Encodings that take the mark for a part of the text, and what takes it away.
_WITHOUT_MARK = {"utf-8": "utf-8-sig", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}


def is_encoding(name: str) -> bool:
    """Whether Python knows an encoding of texts by this name."""
    try:
        b"a".decode(name)
    except LookupError:
        return False
    except UnicodeDecodeError:  # one byte is not enough for a character of some
        pass
    return True


def check_text(path: Path, encoding: str, source: Source) -> str:
    """Read a text once to its end, so that no row is worked on if it is damaged.

    Args:
        path: The text, perhaps gzipped.
        encoding: What the user says it is; a byte-order mark is believed rather.
        source: What the user calls it.

    Returns:
        The encoding, in which a byte-order mark is a part of the text.

    Raises:
        InputError: It is empty, damaged, or of another encoding.
    """
    try:
        with open_bytes(path) as file:
            start = file.read(len(codecs.BOM_UTF8))
        found = next((MARKS[mark] for mark in MARKS if start.startswith(mark)), encoding)
        blank = _read_through(path, found, source)
        mistaken = not codecs.lookup(found).name.startswith("utf") and _is_utf_8(path)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{source.path}: {path} cannot be read ({error})") from error
    if blank:
        raise InputError(f"{source.path}: {path} is empty")
    if mistaken:
        what_to_do = source.form.format("encoding", "utf-8")
        raise InputError(f"{source.path}: {path} is UTF-8, not {found}; {what_to_do}")
    return found


def text_opener(path: Path, encoding: str) -> Callable[[str], TextIO]:
    """Make what opens a text that has been checked; it takes the `newline` of `open`.

    A byte-order mark is no part of what is read.
    """
    return partial(_open_text, path, _WITHOUT_MARK.get(encoding, encoding))


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, unpacked if it is gzipped."""
    return cast(BinaryIO, gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb"))


def _open_text(path: Path, encoding: str, newline: str) -> TextIO:
    return TextIOWrapper(open_bytes(path), encoding=encoding, newline=newline)


def _read_through(path: Path, encoding: str, source: Source) -> bool:
    """Decode all of it; returns whether there is nothing but blanks."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, lines, blank = 0, 1, True
    try:
        with open_bytes(path) as file:
            while True:
                content = file.read(CHUNK)
                waiting = len(decoder.getstate()[0])
                text = decoder.decode(content, final=not content)
                blank = blank and not text.removeprefix("\ufeff").strip()
                if not content:
                    return blank
                offset, lines = offset + len(content), lines + text.count("\n")
    except UnicodeDecodeError as error:
        # The decoder sees the bytes of a character that the last chunk cut, then this chunk.
        before = error.object[: error.start].decode(encoding, "ignore")
        raise InputError(
            f"{source.path}: {path} is not {encoding.upper()}: "
            f"byte 0x{error.object[error.start]:02x} in line {lines + before.count(chr(10))} "
            f"(offset {offset + error.start - waiting}); {_what_to_do(path, encoding, source)}"
        ) from error


def _what_to_do(path: Path, encoding: str, source: Source) -> str:
    if encoding == "utf-8":
        with suppress(UnicodeDecodeError), _open_text(path, EXCEL, "") as text:
            while text.read(CHUNK):
                pass
            return f"if it came from Excel, {source.form.format('encoding', EXCEL)}"
    return f"save it as UTF-8, or {source.form.format('encoding', 'what it is')}"


def _is_utf_8(path: Path) -> bool:
    """Whether there are characters beyond ASCII and all are UTF-8, which is no accident."""
    ascii_alone = True
    with suppress(UnicodeDecodeError), _open_text(path, "utf-8", "") as text:
        while piece := text.read(CHUNK):
            ascii_alone = ascii_alone and piece.isascii()
        return not ascii_alone
    return False
