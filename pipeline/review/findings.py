"""What an audit asks of people, read from its files: one finding per item."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pipeline.audit.decisions import SKIP, Decision, what_stands
from pipeline.audit.shared_content import ALL_KINDS
from pipeline.audit.wording import SAYS_SO_IN_WORDS
from pipeline.core.csv_file import read_csv
from pipeline.core.errors import InputError

Words = Callable[[str], str]

AUDIT = "huse audit"
MOST_REASONS, MOST_EVIDENCE = 5, 8
"""Of a finding: the same stock picture may be in a thousand pairs."""


class Finding(NamedTuple):
    """An item whose class is in question."""

    item_id: str
    suggested_path: str
    """By the first of the reasons."""
    reasons: tuple[str, ...]
    """Sentences."""
    evidence: tuple[str, ...]
    """Ids of other items, the nearest first."""


def read_findings(folder: Path, known: Collection[str], in_words: Words) -> list[Finding]:
    """Read what is in question: items, then titles, then pairs that are filed differently.

    An item that is in several tables is one finding, with all reasons, where it comes first.

    Args:
        folder: Of the audit's files.
        known: Ids of all items of the catalogue.
        in_words: Writes a class path for people.

    Raises:
        InputError: A file is missing or not an audit's, or names an item that is not in the
            catalogue.
    """
    found: dict[str, Finding] = {}
    for name, columns, read in (
        ("items", _ITEM_COLUMNS, _of_items),
        ("titles", _TITLE_COLUMNS, _of_titles),
        ("pairs", _PAIR_COLUMNS, _of_pairs),
    ):
        path = folder / f"{name}.csv"
        for one in _read(path, columns, read, in_words):
            unknown = [item_id for item_id in (one.item_id, *one.evidence) if item_id not in known]
            if unknown:
                raise InputError(
                    f"{path}: item {unknown[0]} is not in the catalogue; run {AUDIT} again"
                )
            first = found.get(one.item_id)
            found[one.item_id] = one if first is None else _both(first, one)
    return list(found.values())


def undecided(
    findings: Collection[Finding], decisions: Mapping[str, Decision], items: pd.DataFrame
) -> list[Finding]:
    """Leave out items with a decision that holds; those that were skipped come last.

    Args:
        findings: From `read_findings`.
        decisions: What people have decided, by item.
        items: All items with `item_id` and `class_path`.
    """
    standing = what_stands(decisions, items)
    decided = standing.right | standing.waiting
    path_of = dict(zip(items["item_id"], items["class_path"], strict=True))
    skipped = {
        one.item_id
        for one in decisions.values()
        if one.decision == SKIP and path_of.get(one.item_id) == one.class_path
    }
    left = [one for one in findings if one.item_id not in decided]
    return sorted(left, key=lambda one: one.item_id in skipped)


_ITEM_COLUMNS = (
    *("item_id", "suggested_path", "misfiled", "p_suggested", "p_given"),
    *("says_so", "evidence"),
)
_TITLE_COLUMNS = ("item_id", "named_path", "share", "titles")
_PAIR_COLUMNS = ("item_id", "other_id", "other_path", "kind", "tree_distance", "items", "agreeing")


def _of_items(table: pd.DataFrame, in_words: Words) -> Iterator[Finding]:
    for row in table.to_dict("records"):
        said = SAYS_SO_IN_WORDS[row["says_so"]]
        misfiled, suggested, given = (
            _in_digits(float(row[name])) for name in ("misfiled", "p_suggested", "p_given")
        )
        reason = (
            f"A classifier that has not seen it gives the suggested class {suggested} and its own "
            f"{given}; {said}. Filed wrongly with probability {misfiled}."
        )
        evidence = tuple(row["evidence"].split())
        yield Finding(row["item_id"], row["suggested_path"], (reason,), evidence)


def _of_titles(table: pd.DataFrame, in_words: Words) -> Iterator[Finding]:
    for row in table.to_dict("records"):
        reason = (
            f"Its title names {in_words(row['named_path'])}: {100 * float(row['share']):.1f} % of "
            f"{row['titles']} titles with that name are filed there."
        )
        yield Finding(row["item_id"], row["named_path"], (reason,), ())


def _of_pairs(table: pd.DataFrame, in_words: Words) -> Iterator[Finding]:
    for row in table[table["tree_distance"].astype(int) > 0].to_dict("records"):
        kind = ALL_KINDS[row["kind"]]
        reason = (
            f"{kind[0].upper()}{kind[1:]}, filed under {in_words(row['other_path'])}; "
            f"{row['agreeing']} of {row['items']} such items are filed as this one."
        )
        yield Finding(row["item_id"], row["other_path"], (reason,), (row["other_id"],))


def _read(
    path: Path,
    columns: Collection[str],
    read: Callable[[pd.DataFrame, Words], Iterator[Finding]],
    in_words: Words,
) -> list[Finding]:
    try:
        return list(read(read_csv(path, columns, AUDIT), in_words))
    except (KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: not as an audit wrote it ({error}); run {AUDIT} again"
        ) from error


def _in_digits(probability: float) -> str:
    return f"{probability:.3f}" if probability >= 0.001 else "less than 0.001"


def _both(first: Finding, second: Finding) -> Finding:
    evidence = tuple(dict.fromkeys(first.evidence + second.evidence))
    reasons = first.reasons + second.reasons
    return first._replace(reasons=reasons[:MOST_REASONS], evidence=evidence[:MOST_EVIDENCE])
