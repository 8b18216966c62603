"""What can be chosen of the attributes, and the expression that a choice is.

Shape letters: N items.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from keyword import iskeyword
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.explore.query import GREATEST, IS, LEAST, NO, Filters
from pipeline.features.attributes import NUMBERS, kind_of, show_value

FEW = 12
"""Values that have a box each; others are looked up in a list."""
MOST = 1000
"""Values that a list may have; with more, an attribute is searched by an expression alone."""


class Facet(NamedTuple):
    """An attribute that can be chosen by."""

    name: str
    kind: str
    """Of the kinds of `pipeline.features.attributes`."""
    values: list[str]
    """As the page shows them, the most frequent first. Empty for numbers, dates and times, which
    have a least and a greatest instead."""
    least: Any = None
    greatest: Any = None


class Box(NamedTuple):
    """A value that can be ticked."""

    key: str
    value: str
    """Name and value in the address."""
    label: str
    items: int
    """How many of the items have it that are left by all other filters."""
    ticked: bool


def make_facets(attributes: pa.Table) -> list[Facet]:
    """Look at the attributes of N items: `item_id`, and a column per attribute."""
    facets = []
    for name in attributes.column_names[1:]:
        column, kind = attributes[name], kind_of(attributes[name])
        if kind in (*NUMBERS, "date", "time"):
            bounds = pc.min_max(column)
            if bounds["min"].is_valid:
                facets.append(Facet(name, kind, [], bounds["min"].as_py(), bounds["max"].as_py()))
        elif kind is not None:
            count_of = _count(column)
            count_of.pop("", None)
            if 0 < len(count_of) <= MOST:
                values = sorted(count_of, key=lambda value: (-count_of[value], value))
                facets.append(Facet(name, kind, values))
    return facets


def make_boxes(facet: Facet, values: pa.ChunkedArray, filters: Filters) -> list[Box]:
    """Say which values can be ticked: those of the items that are left, and those that are.

    Args:
        facet: Of which values can be chosen.
        values: The attribute of the items that are left by all filters but its own.
        filters: What was chosen.

    Returns:
        The FEW most frequent ones and the ticked ones; last, that nothing is said.
    """
    count_of = _count(values)
    missing = count_of.pop("", 0)
    ticked = [value for key, value in filters if key == IS + facet.name]
    frequent = sorted(count_of, key=lambda value: (-count_of[value], value))[:FEW]
    shown = [*frequent, *(value for value in ticked if value not in frequent)]
    boxes = [
        Box(IS + facet.name, value, value, count_of.get(value, 0), value in ticked)
        for value in shown
    ]
    is_ticked = any(key == NO + facet.name for key, _ in filters)
    if missing or is_ticked:
        boxes.append(Box(NO + facet.name, "1", "not said", missing, is_ticked))
    return boxes


def write_where(facets: Sequence[Facet], typed: str, filters: Filters) -> str | None:
    """Write what was chosen as an expression, see `pipeline.index.where`.

    Args:
        facets: The facets of the page.
        typed: An expression that was typed, or nothing.
        filters: What was chosen of the attributes.

    Returns:
        One expression, or None where nothing was chosen.

    Raises:
        InputError: What was typed for a number is none, or nothing can be chosen of an attribute.
    """
    names = {facet.name for facet in facets}
    for key, _ in filters:
        if key.partition(".")[2] not in names:
            raise InputError(f"nothing can be chosen of {key.partition('.')[2]!r} here")
    parts = [f"({typed})"] if typed else []
    for facet in facets:
        name = written(facet.name)
        wanted = [_constant(facet, value) for key, value in filters if key == IS + facet.name]
        one_of = [f"{name} in [{', '.join(wanted)}]"] if len(wanted) > 1 else []
        one_of += [f"{name} == {value}" for value in wanted if len(wanted) == 1]
        one_of += [f"{name} is None" for key, _ in filters if key == NO + facet.name][:1]
        parts += [f"({' or '.join(one_of)})"] if len(one_of) > 1 else one_of
        parts += [
            f"{name} {comparison} {_constant(facet, value)}"
            for start, comparison in ((LEAST, ">="), (GREATEST, "<="))
            for key, value in filters
            if key == start + facet.name
        ]
    if len(parts) == 1 and typed:
        return typed
    return " and ".join(parts) or None


def without(facet: Facet, filters: Filters) -> Filters:
    """What was chosen of other attributes."""
    return tuple(pair for pair in filters if pair[0].partition(".")[2] != facet.name)


def describe_filter(key: str, value: str) -> str:
    """Say what was chosen, for people."""
    start, _, name = key.partition(".")
    said = {IS: f": {value}", NO: ": not said", LEAST: f" from {value}", GREATEST: f" to {value}"}
    return name + said[f"{start}."]


def written(name: str) -> str:
    """Write the name of a column as an expression has it."""
    plain = name.isidentifier() and not iskeyword(name)
    # Python takes letters of other forms for the usual ones.
    return name if plain and unicodedata.normalize("NFKC", name) == name else f"column({name!r})"


def taken(attributes: pa.Table, name: str, inside_N: np.ndarray | None) -> pa.ChunkedArray:
    """The values of an attribute, of all items or of those inside."""
    column = attributes[name]
    return column if inside_N is None else column.filter(pa.array(inside_N))


def _count(values: pa.ChunkedArray) -> dict[str, int]:
    """How many have each value as it is shown; empty where nothing is said."""
    counted = pc.value_counts(values).to_pylist()
    count_of: dict[str, int] = {}
    for one in counted:
        shown = show_value(one["values"])
        count_of[shown] = count_of.get(shown, 0) + one["counts"]
    return count_of


def _constant(facet: Facet, typed: str) -> str:
    if facet.kind == "true or false":
        return str(typed == "true")
    if facet.kind not in NUMBERS:
        return repr(typed)
    try:
        number = float(typed)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{facet.name}: {typed!r} is no number; write it like 12.5")
    return str(int(number)) if number.is_integer() else repr(number)
