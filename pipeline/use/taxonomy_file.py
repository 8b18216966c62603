"""A class tree that somebody else publishes, as the files that it comes in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from pipeline.core.errors import BadRowError, InputError
from pipeline.features.class_path import normalize_class_path

MARK = ">"
"""What joins the parts in the published files."""
WITH_ID = (
    # Shopify's categories.txt: gid://shopify/TaxonomyCategory/ap-1   : Animals > Live Animals
    re.compile(r"(gid://[^\s:]+)\s*:\s+(.+)"),
    # Google's taxonomy-with-ids.en-US.txt: 3237 - Animals > Live Animals
    re.compile(r"(\d+) - (.+)"),
)

Parts = tuple[str, ...]
"""The parts of a class path, from the root."""


class Taxonomy(NamedTuple):
    """J nodes of a tree, in the order of the file, every one behind the node above it."""

    paths: list[Parts]
    ids: list[str]
    """J ids of the file; empty for a node without."""


def read_taxonomy(path: Path, own_separator: str, separator: str | None = None) -> Taxonomy:
    """Read a tree in one of its published forms, or a plain list of class paths.

    The forms are those of Google's product taxonomy, with and without ids, and of Shopify's
    categories.txt. Empty lines and those that begin with # are left out. Nodes above a listed one
    that are not listed themselves are added.

    Args:
        path: Text in UTF-8, a node a line.
        own_separator: What joins the parts of the model's class paths; a plain list may have it.
        separator: What joins the parts in this file, if the user says so.

    Raises:
        InputError: The file cannot be read, has no node or one twice, or a line has another form
            than the first.
    """
    lines = _lines(path)
    first = lines[0][1]
    form = next((form for form in WITH_ID if form.fullmatch(first)), None)
    listed = [_take_apart(path, number, line, form) for number, line in lines]
    if separator is None:
        separator = _find_separator(path, [text for _, _, text in listed], own_separator)
    line_of: dict[Parts, int] = {}
    id_of: dict[Parts, str] = {}
    for number, node_id, text in listed:
        try:
            joined = normalize_class_path(text, separator.strip() or separator)
        except BadRowError as error:
            raise InputError(f"{path}: line {number}: {error}: {text!r}") from error
        parts = tuple(joined.split(separator.strip() or separator))
        if parts in line_of:
            raise InputError(
                f"{path}: line {number}: {text!r} is on line {line_of[parts]} already; remove one"
            )
        line_of[parts] = number
        for depth in range(1, len(parts) + 1):
            id_of.setdefault(parts[:depth], "")
        id_of[parts] = node_id
    return Taxonomy(list(id_of), list(id_of.values()))


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise InputError(f"{path}: line {number} is not UTF-8; save the file as UTF-8") from error
    numbered = enumerate((line.strip() for line in text.split("\n")), start=1)
    found = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    if not found:
        raise InputError(f"{path}: no class path in it; one per line is needed")
    return found


def _take_apart(
    path: Path, number: int, line: str, form: re.Pattern[str] | None
) -> tuple[int, str, str]:
    """Number of the line, id and class path."""
    if form is None:
        return number, "", line
    match = form.fullmatch(line)
    if match is None:
        raise InputError(
            f"{path}: line {number}: {line!r} has no id in front, as the first line has; "
            "use one form for all lines"
        )
    return number, match[1], match[2]


def _find_separator(path: Path, texts: list[str], own_separator: str) -> str:
    """What joins the parts in most lines, of those that can be expected."""
    count_of = {mark: sum(mark in text for text in texts) for mark in (MARK, own_separator)}
    best = max(count_of, key=lambda mark: count_of[mark])
    if count_of[best]:
        return best
    raise InputError(
        f"{path}: no known form: no line has {MARK!r} or {own_separator!r} between parts; it is "
        "Google's or Shopify's list of categories, or class paths, one a line; name another mark "
        "with --separator"
    )
