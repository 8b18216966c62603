"""The table in which classes are mapped to another tree, which people edit."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.core.csv_file import csv_writer, read_csv
from pipeline.core.errors import InputError
from pipeline.use.class_mapping import JOINED, Candidate, Mapped
from pipeline.use.own_tree import OwnTree
from pipeline.use.taxonomy_file import MARK, Parts, Taxonomy

KEEP = "keep"
"""The decision of a row that is to stay as it is."""
FIRST = ("class_path", "items", "decision")
CHOSEN = ("other_path", "other_id", "confidence", "by_names", "by_items")


class Row(NamedTuple):
    """A node of one's own tree as the table has it."""

    class_path: str
    items: int
    decision: str
    """KEEP or empty."""
    chosen: Candidate
    others: list[Candidate]
    """What else is near, the best first."""

    def as_json(self) -> dict[str, Any]:
        """Nested, for programs."""
        return {
            "class_path": self.class_path,
            "items": self.items,
            "decision": self.decision,
            "chosen": self.chosen._asdict(),
            "others": [one._asdict() for one in self.others],
        }


def make_row(mapped: Mapped, separator: str, kept: str | None) -> Row:
    """Put a node's candidates in order: the kept path first, else the best."""
    first = next((one for one in mapped.candidates if one.path == kept), mapped.candidates[0])
    others = [one for one in mapped.candidates if one is not first]
    decision = "" if kept is None else KEEP
    return Row(separator.join(mapped.parts), mapped.items, decision, first, others)


def write_mapping(out: Path, rows: Iterable[Row], k: int) -> None:
    """Write rows as CSV, with up to `k` candidates each.

    Raises:
        InputError: The file cannot be written.
    """
    numbered = [f"{name}_{n}" for n in range(2, k + 1) for name in ("other_path", "confidence")]
    with csv_writer(out, [*FIRST, *CHOSEN, *numbered]) as write:
        for row in rows:
            chosen = (row.chosen.path, row.chosen.id, *map(_number, row.chosen[2:]))
            others = [(one.path, _number(one.confidence)) for one in row.others[: k - 1]]
            flat = [cell for pair in others for cell in pair]
            empty = [""] * (len(numbered) - len(flat))
            write([[*row[:3], *chosen, *flat, *empty]])


def read_kept(path: Path, own: OwnTree, other: Taxonomy, separator: str) -> dict[Parts, int]:
    """Read which rows of an earlier table are to stay.

    Args:
        path: CSV with class_path, decision and other_path, as `write_mapping` writes it.
        own: One's own tree.
        other: The other tree.
        separator: What joins the parts of one's own class paths.

    Returns:
        Number of the node of `other` by the node of one's own.

    Raises:
        InputError: The file cannot be read, a decision is another word, or one of the trees has no
            such path.
    """
    table = read_csv(path, ("class_path", "decision", "other_path"), "huse map")
    place = {node: j for j, node in enumerate(other.paths)}
    # A name may have the mark in it, where another joins the parts of the file.
    joined = {JOINED.join(node): node for node in other.paths}
    nodes = set(own.nodes)
    kept: dict[Parts, int] = {}
    columns = (table[name] for name in ("class_path", "decision", "other_path"))
    for number, (own_path, decision, other_path) in enumerate(zip(*columns, strict=True), start=1):
        where = f"{path}: row {number} ({own_path})"
        if decision.strip().lower() not in (KEEP, ""):
            raise InputError(f"{where}: decision {decision!r} is not {KEEP}, or nothing")
        node = tuple(own_path.split(separator))
        if not decision.strip():
            continue
        if node not in nodes:
            raise InputError(
                f"{where}: kept, but the catalogue has no such class; correct the row or remove it"
            )
        wanted = joined.get(
            other_path, tuple(" ".join(part.split()) for part in other_path.split(MARK))
        )
        if wanted not in place:
            raise InputError(f"{where}: kept, but the other tree has no {other_path!r}")
        if kept.setdefault(node, place[wanted]) != place[wanted]:
            raise InputError(f"{where}: kept with two paths; leave one")
    return kept


def refuse_to_overwrite(out: Path, kept: Path | None) -> None:
    """See that no decisions are lost.

    Raises:
        InputError: `out` has rows that a person keeps, or cannot be read, and is not what they are
            read from.
    """
    if not out.is_file() or (kept is not None and kept.resolve() == out.resolve()):
        return
    try:
        with out.open(encoding="utf-8-sig", newline="") as file:
            decided = any(row["decision"].strip() for row in csv.DictReader(file))
    except (OSError, csv.Error, UnicodeDecodeError, KeyError, AttributeError) as error:
        # Saved by a spreadsheet in another form, perhaps with somebody's decisions.
        raise InputError(
            f"--out: {out} is there and no table of huse map in UTF-8 with commas; save it as one, "
            "or name another file"
        ) from error
    if decided:
        raise InputError(f"--out: {out} has decisions; add --keep {out}, or name another file")


def _number(value: float) -> str:
    return f"{value:.3f}"
