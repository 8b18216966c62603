"""What can be chosen of the attributes, and the expression that a choice is."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from keyword import iskeyword
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.features.attributes import NUMBERS, kind_of, show_value

FEW = 12
"""Values that have a box each; more are looked up in a list."""
MOST = 1000
"""Values that a list may have; with more, an attribute is searched by an expression alone."""


class Facet(NamedTuple):
    """An attribute that can be chosen by."""

    name: str
    kind: str
    """Of the kinds of `pipeline.features.attributes`."""
    choices: list[tuple[str, Any]]
    """How values are shown, and the values, the most frequent first; last None: nothing is there.
    Empty for numbers, dates and times, which have a least and a greatest instead."""
    least: Any = None
    greatest: Any = None

    @property
    def inputs(self) -> int:
        """How many fields of the page it takes: a choice, or from and to."""
        return 1 if self.choices else 2


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
            counts = pc.value_counts(column).to_pylist()
            if len(counts) > MOST:
                continue
            counts.sort(key=lambda one: (one["values"] is None, -one["counts"], str(one["values"])))
            choices = [
                (f"{show_value(one['values']) or 'not said'} ({one['counts']})", one["values"])
                for one in counts
            ]
            facets.append(Facet(name, kind, choices))
    return facets


def write_where(facets: Sequence[Facet], typed: str, chosen: Sequence[Any]) -> str | None:
    """Write what was chosen as an expression, see `pipeline.index.where`.

    Args:
        facets: The facets of the page.
        typed: An expression that was typed, or nothing.
        chosen: Values of the fields, facet by facet: numbers of choices, or from and to as typed.

    Returns:
        One expression, or None where nothing was chosen.

    Raises:
        InputError: What was typed for a number is none.
    """
    left = iter(chosen)
    parts = [f"({typed.strip()})"] if typed.strip() else []
    for facet in facets:
        values = [next(left, None) for _ in range(facet.inputs)]
        if facet.choices:
            wanted = [facet.choices[number][1] for number in values[0] or []]
            parts += _one_of(written(facet.name), wanted)
            continue
        for comparison, value in zip((">=", "<="), values, strict=True):
            if value and value.strip():
                constant = _constant(facet, value.strip())
                parts.append(f"{written(facet.name)} {comparison} {constant}")
    if len(parts) == 1 and typed.strip():
        return typed.strip()
    return " and ".join(parts) or None


def written(name: str) -> str:
    """Write the name of a column as an expression has it."""
    plain = name.isidentifier() and not iskeyword(name)
    # Python takes letters of other forms for the usual ones.
    return name if plain and unicodedata.normalize("NFKC", name) == name else f"column({name!r})"


def _one_of(name: str, wanted: list[Any]) -> list[str]:
    there = [value for value in wanted if value is not None]
    parts = []
    if len(there) > 1:
        parts.append(f"{name} in {there!r}")
    elif there:
        parts.append(f"{name} == {there[0]!r}")
    if len(there) < len(wanted):
        parts.append(f"{name} is None")
    return [f"({' or '.join(parts)})"] if len(parts) > 1 else parts


def _constant(facet: Facet, typed: str) -> str:
    if facet.kind not in NUMBERS:
        return repr(typed)
    try:
        number = float(typed)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{facet.name}: {typed!r} is no number; write it like 12.5")
    return str(int(number)) if number.is_integer() else repr(number)
