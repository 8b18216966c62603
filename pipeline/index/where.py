"""Which items an expression is true of, such as `price < 50 and brand == 'Nike'`.

Python's own parser reads it, and nothing of it is ever run: the tree is walked, and what is not one
of the few forms below is refused.

Shape letters: N items.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import InputError
from pipeline.core.quiet import without_warnings
from pipeline.core.vectors import as_one, numbers
from pipeline.features.attributes import NUMBERS, kind_of

LONGEST = 4000
"""Characters of an expression."""
MOST_COMPARED = 10_000
"""Different values that a value which nothing has is compared with for a hint."""
MOST_HINTS = 5
"""Values of an expression that are compared so: it may list a thousand, and others wait."""
COMPARE: dict[type[ast.cmpop], tuple[Callable[..., Any], Callable[..., Any]]] = {
    ast.Lt: (pc.less, pc.greater),
    ast.LtE: (pc.less_equal, pc.greater_equal),
    ast.Gt: (pc.greater, pc.less),
    ast.GtE: (pc.greater_equal, pc.less_equal),
    ast.Eq: (pc.equal, pc.equal),
    ast.NotEq: (pc.not_equal, pc.not_equal),
    ast.Is: (pc.equal, pc.equal),
    ast.IsNot: (pc.not_equal, pc.not_equal),
}
"""What compares, and what does if the sides are swapped."""
WORDS = {"true": True, "false": False, "null": None, "none": None}
"""Constants as other languages write them, where no column is called so."""
FORMS = "use columns, values, <, <=, ==, !=, >, >=, in, is None, and, or, not"


class Column:
    """A column with its name, for messages."""

    def __init__(self, name: str, values: pa.ChunkedArray) -> None:
        """Take N values."""
        self.name, self.values = name, values
        self.kind = kind_of(values)
        """Of the kinds of `pipeline.features.attributes`."""

    def scalar(self, value: Any) -> pa.Scalar:
        """Make a constant one that the values can be compared with.

        Raises:
            InputError: It is of another kind.
        """
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if self.kind in NUMBERS and is_number:
            # A price of 12.9 with a few bits is no 12.9 with many.
            narrow = pa.types.is_floating(self.values.type)
            whole = isinstance(value, int) and abs(value) < 2**63
            return pa.scalar(value if whole else float(value), self.values.type if narrow else None)
        if self.kind == "text" and isinstance(value, str):
            return pa.scalar(value)
        if self.kind == "true or false" and isinstance(value, bool):
            return pa.scalar(value)
        if self.kind in ("date", "time") and isinstance(value, str):
            try:
                return pa.scalar(self._moment(value), self.values.type)
            except ValueError as error:
                raise InputError(
                    f"where: {self.name} is a {self.kind}, to be written as '2024-12-31'"
                    f"{'' if self.kind == 'date' else ' or ' + repr('2024-12-31 18:30')}, "
                    f"not {value!r}"
                ) from error
        raise InputError(f"where: {self.name} is {_a(self.kind)}, and {value!r} is not")

    def _moment(self, value: str) -> date | datetime:
        if self.kind == "date":
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
        if self.values.type.tz is None:
            return moment.replace(tzinfo=None)
        return moment.replace(tzinfo=moment.tzinfo or UTC)


def matching(table: pa.Table, where: str) -> Any:
    """Find the rows of a table that an expression is true of.

    A comparison with a missing value is neither true nor false, and neither is its negation:
    `is None` finds those, and empty texts.

    Args:
        table: N rows; its columns are what the expression may name.
        where: Comparisons of columns with values or with each other, joined by and, or and not.
            `'boot' in text` looks for a part, `brand in ['Nike', 'Puma']` for one of several;
            `column('shoe size')` is a column whose name is no word.

    Returns:
        [N] bool, not all false.

    Raises:
        InputError: It is no such expression, names no column, compares what cannot be compared, or
            is true of no row.
    """
    if len(where) > LONGEST:
        raise InputError(f"where: {len(where)} characters; {LONGEST} are the most")
    where = " ".join(where.splitlines()).strip()
    walk = _Walk(table)
    try:
        with without_warnings():  # of a backslash in a text
            tree = ast.parse(where, mode="eval").body
        found = pc.fill_null(walk.condition(tree), False)
    except InputError:
        raise
    except SyntaxError as error:
        raise InputError(
            f"where: {_short(where)!r} cannot be read ({error.msg}); write it like price < 50 and "
            "brand == 'Nike', and a name of several words like column('shoe size')"
        ) from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise InputError(f"where: {_short(where)!r} cannot be read ({error})") from error
    except pa.ArrowException as error:
        raise InputError(f"where: {_short(where)!r} cannot be compared ({error})") from error
    found_N = numbers(as_one(pc.cast(found, pa.uint8()))).astype(bool)
    if not found_N.any():
        raise InputError(f"where: no item has {_short(where)}{walk.hint()}")
    return found_N


class _Walk:
    """Turns the tree of an expression into N truth values."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._absent: list[tuple[Column, str]] = []

    def condition(self, node: ast.expr) -> pa.ChunkedArray:
        match node:
            case ast.BoolOp(op=ast.And()):
                return reduce(pc.and_kleene, map(self.condition, node.values))
            case ast.BoolOp():
                return reduce(pc.or_kleene, map(self.condition, node.values))
            case ast.UnaryOp(op=ast.Not()):
                return pc.invert(self.condition(node.operand))
            case ast.Compare():
                sides = [node.left, *node.comparators]
                pairs = zip(sides, node.ops, sides[1:], strict=False)
                return reduce(pc.and_kleene, (self._compared(*pair) for pair in pairs))
        one = self._operand(node)
        if isinstance(one, Column) and one.kind == "true or false":
            return one.values
        if isinstance(one, Column):
            raise InputError(f"where: {one.name} is {_a(one.kind)}; compare it with a value")
        raise _refusal(node)

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> pa.ChunkedArray:
        if isinstance(op, (ast.In, ast.NotIn)):
            found = self._inside(left, right)
            return pc.invert(found) if isinstance(op, ast.NotIn) else found
        one, other = self._operand(left), self._operand(right)
        straight, swapped = COMPARE[type(op)]
        if not isinstance(one, Column):
            if not isinstance(other, Column):
                raise InputError(f"where: {ast.unparse(left)!r} is compared with no column")
            one, other, straight = other, one, swapped
        if isinstance(other, Column):
            if one.kind != other.kind and not {one.kind, other.kind} <= set(NUMBERS):
                raise InputError(
                    f"where: {one.name} is {_a(one.kind)} and {other.name} is {_a(other.kind)}"
                )
            return straight(one.values, other.values)
        if other is None:
            return self._missing(one, straight)
        found = straight(one.values, one.scalar(other))
        if straight is pc.equal and isinstance(other, str) and not pc.any(found).as_py():
            self._absent.append((one, other))
        return found

    def _missing(self, one: Column, comparison: Callable[..., Any]) -> pa.ChunkedArray:
        if comparison not in (pc.equal, pc.not_equal):
            raise InputError(f"where: {one.name} can be None or not, but no less and no more")
        found = pc.is_null(one.values)
        if one.kind == "text":  # as the picture of an item that has none
            found = pc.or_(found, pc.fill_null(pc.equal(one.values, ""), False))
        return found if comparison is pc.equal else pc.invert(found)

    def _inside(self, left: ast.expr, right: ast.expr) -> pa.ChunkedArray:
        if isinstance(right, (ast.List, ast.Tuple, ast.Set)) and right.elts:
            return reduce(pc.or_kleene, (self._compared(left, ast.Eq(), one) for one in right.elts))
        part, whole = self._operand(left), self._operand(right)
        if isinstance(whole, Column) and whole.kind == "text" and isinstance(part, str):
            return pc.match_substring(whole.values, part)
        raise _refusal(right)

    def _operand(self, node: ast.expr) -> Any:
        """A column or a constant."""
        match node:
            case ast.Name(id=name) if name in self._table.column_names:
                return Column(name, self._table[name])
            case ast.Name(id=name) if name.lower() in WORDS:
                return WORDS[name.lower()]
            case ast.Name(id=name):
                raise self._unknown(name)
            case ast.Call(
                func=ast.Name(id="column"), args=[ast.Constant(value=str(name))], keywords=[]
            ):
                if name not in self._table.column_names:
                    raise self._unknown(name)
                return Column(name, self._table[name])
            case ast.Constant(value=None | bool() | int() | float() | str()):
                return node.value
            case ast.UnaryOp(
                op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())
            ) if not isinstance(node.operand.value, bool):  # type: ignore[attr-defined]
                value = node.operand.value  # type: ignore[attr-defined]
                return -value if isinstance(node.op, ast.USub) else value
        raise _refusal(node)

    def _unknown(self, name: str) -> InputError:
        names = self._table.column_names
        (close,) = get_close_matches(name, names, n=1) or [None]
        meant = f"did you mean {close}? " if close else ""
        return InputError(f"where: no column {name!r}; {meant}there are {', '.join(names)}")

    def hint(self) -> str:
        """Say what may have been meant by a text that no item has."""
        for column, value in self._absent[:MOST_HINTS]:
            there = pc.drop_null(pc.unique(column.values)).slice(0, MOST_COMPARED).to_pylist()
            close = _close(value, there) if column.kind == "text" else []
            if close:
                return f"; {column.name} has {', '.join(map(repr, close))}"
        return ""


def _close(value: str, there: Iterable[str]) -> list[str]:
    by_folded = {one.casefold(): one for one in there}
    return [by_folded[one] for one in get_close_matches(value.casefold(), by_folded, n=3)]


def _refusal(node: ast.expr) -> InputError:
    shown = _short(" ".join(ast.unparse(node).split()))
    return InputError(f"where: {shown!r} is none of what can be searched by; {FORMS}")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _a(kind: str | None) -> str:
    return {"integer": "a number", "number": "a number", "date": "a date", "time": "a time"}.get(
        kind or "", kind or "nothing"
    )
