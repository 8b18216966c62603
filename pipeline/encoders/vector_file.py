"""Files of word vectors, streamed: GloVe text, word2vec text and word2vec binary.

Memory: the vectors of the wanted words and a buffer of 1 MiB, whatever the size of the file.

Shape letters: V words found, E word vector.
"""

import gzip
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np

from pipeline.core.errors import InputError

BUFFER = 2**20
LONGEST_WORD = 2**12
"""Bytes within which a word of a binary file ends."""
# What pickle writes, and so gensim's KeyedVectors.save, begins with this byte.
_PICKLE = b"\x80"
_GZIP = b"\x1f\x8b"
_HEADER = re.compile(rb"(\d+) (\d+)\s*$")

Rows = Iterator[tuple[bytes, np.ndarray]]


def read_vector_file(path: Path, words: frozenset[str]) -> tuple[list[str], np.ndarray]:
    """Read the vectors of some words; of a word that comes twice, the first.

    Args:
        path: A GloVe file (no header; tokens may have spaces in them) or a word2vec file, text or
            binary; any of them may be compressed with gzip.
        words: Words wanted, without whitespace.

    Returns:
        V words found, sorted, and their [V, E] float32 vectors.

    Raises:
        InputError: The file is damaged (names the line or word), or of a kind that is not read.
    """
    wanted = frozenset(word.encode() for word in words)
    found: dict[str, np.ndarray] = {}
    try:
        with _opened(path) as stream:
            first = stream.readline(BUFFER)
            if first.startswith(_PICKLE):
                raise InputError(
                    f"{path}: looks like a file of gensim's KeyedVectors.save, which is a pickle: "
                    "reading it could run any program; convert it once where you trust it, with "
                    "KeyedVectors.load(path).save_word2vec_format('vectors.bin', binary=True)"
                )
            header = _HEADER.match(first)
            size = (int(header[1]), int(header[2])) if header else None
            if size and _is_binary(stream.peek(LONGEST_WORD)):
                dimension, rows = size[1], _binary_rows(path, stream, *size, wanted)
            else:
                dimension = size[1] if size else _count_numbers(path, first)
                lines = stream if size else chain([first], stream)
                rows = _text_rows(path, lines, dimension, wanted, size and size[0])
            for word, vector_E in rows:
                found.setdefault(word.decode(), vector_E)
    except (EOFError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({error}); get the file again") from error
    known = sorted(found)
    vector_VE = np.array([found[word] for word in known], dtype=np.float32)
    return known, vector_VE.reshape(len(known), dimension)


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    with path.open("rb", BUFFER) as stream:
        plain = cast(io.BufferedReader, stream)
        if plain.peek(2)[:2] != _GZIP:
            yield plain
            return
        with gzip.open(plain) as unpacked:
            yield io.BufferedReader(cast(io.RawIOBase, unpacked), BUFFER)


def _is_binary(after_header: bytes) -> bool:
    pieces = after_header.split(None, 2)
    return len(pieces) > 1 and not _is_number(pieces[1])


def _count_numbers(path: Path, line: bytes) -> int:
    """Numbers at the end of the first line."""
    pieces = line.split()
    count = 0
    while count < len(pieces) - 1 and _is_number(pieces[-1 - count]):
        count += 1
    if count == 0:
        raise InputError(
            f"{path}: line 1: found {line[:60]!r}; expected a word and its numbers, or the number "
            "of words and of dimensions"
        )
    return count


def _text_rows(
    path: Path,
    lines: Iterator[bytes] | io.BufferedReader,
    dimension: int,
    wanted: frozenset[bytes],
    num_words: int | None,
) -> Rows:
    """Wanted words of a text file; every line is checked."""
    skipped = 0 if num_words is None else 1
    number = skipped
    for number, line in enumerate(lines, start=skipped + 1):
        line = line.rstrip()
        end = line.find(b" ")
        extra = line.count(b" ") - dimension
        word = line[: max(end, 0)]
        if not word.isascii():
            _check_utf8(path, f"line {number}", word)
        if extra == 0:
            if word in wanted:
                yield word, _parse(path, number, line[end + 1 :].split(b" "))
        elif line and (extra < 0 or _is_number(line.rsplit(b" ", dimension)[0].split(b" ")[-1])):
            # More pieces are fine where the token itself has spaces, as some of GloVe 840B have.
            raise InputError(
                f"{path}: line {number}: {line.count(b' ')} numbers where the first line has "
                f"{dimension}; the file is cut off or damaged, get it again"
            )
    if num_words is not None and number - skipped < num_words:
        raise InputError(
            f"{path}: line {number}: the file ends after {number - skipped} of the {num_words} "
            "words that its first line announces; get it again"
        )


def _parse(path: Path, number: int, pieces: list[bytes]) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):
            vector_E = np.array([float(piece) for piece in pieces], dtype=np.float32)
    except ValueError as error:
        raise InputError(f"{path}: line {number}: {error}; get the file again") from error
    return _finite(path, f"line {number}", vector_E)


def _binary_rows(
    path: Path, stream: io.BufferedReader, num_words: int, dimension: int, wanted: frozenset[bytes]
) -> Rows:
    """Wanted words of a binary file: word, space, little-endian float32, perhaps a line feed."""
    buffer, start = b"", 0
    for number in range(1, num_words + 1):
        space = buffer.find(b" ", start)
        while space < 0 or len(buffer) < space + 1 + 4 * dimension:
            more = stream.read(BUFFER)
            if not more or (space < 0 and len(buffer) - start > LONGEST_WORD):
                raise InputError(
                    f"{path}: word {number} of {num_words}: the file is cut off or damaged; get "
                    "it again"
                )
            buffer, start = buffer[start:] + more, 0
            space = buffer.find(b" ")
        word = buffer[start:space].lstrip(b"\n")
        if not word.isascii():
            _check_utf8(path, f"word {number}", word)
        if word in wanted:
            vector_E = np.frombuffer(buffer, "<f4", dimension, space + 1).astype(np.float32)
            yield word, _finite(path, f"word {number}, {word.decode()!r}", vector_E)
        start = space + 1 + 4 * dimension


def _finite(path: Path, place: str, vector_E: np.ndarray) -> np.ndarray:
    if not np.isfinite(vector_E).all():
        raise InputError(f"{path}: {place}: a number is not finite; get the file again")
    return vector_E


def _check_utf8(path: Path, place: str, word: bytes) -> None:
    try:
        word.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: {place}: {word[:40]!r} is not UTF-8; convert the file to UTF-8"
        ) from error


def _is_number(piece: bytes) -> bool:
    try:
        float(piece)
    except ValueError:
        return False
    return True
