"""What the page's template is filled with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pipeline.explore.explorer import Answer, Explorer
from pipeline.explore.facets import FEW, describe_filter
from pipeline.explore.query import LONGEST_TEXT, MOST, USUAL, Query
from pipeline.explore.side import Side
from pipeline.explore.upload import MOST_BYTES
from pipeline.index.hybrid import Mode
from pipeline.index.where import LONGEST
from pipeline.web.pages import in_words

SEARCH, COMPARE = "./", "compare"
"""Addresses of the pages, relative to their folder."""
MODES: dict[Mode, str] = {
    "hybrid": "meaning and words",
    "dense": "meaning alone",
    "words": "words alone",
}


class Chip(NamedTuple):
    """Something that was chosen, and where it is not."""

    label: str
    address: str


def make_view(
    query: Query, path: str, sides: Sequence[Side], answers: Sequence[Answer]
) -> dict[str, Any]:
    """Put together what the template names.

    Args:
        query: What was asked.
        path: SEARCH or COMPARE.
        sides: The models that were asked.
        answers: What each of them said.
    """
    explorer = sides[0].explorer
    return {
        "query": query,
        "path": path,
        "link": query.address(path),
        "lists": list(zip(sides, answers, _ranks(answers), strict=True)),
        "chips": [Chip(*chip) for chip in _chips(query, path, explorer, answers[0].heading)],
        "said": _said(query, path, answers),
        "has_failed": path == SEARCH and answers[0].error is not None,
        "narrow": _addresses(query, path, lambda value: {"within": value}),
        "more": _addresses(query, path, lambda value: {"like": value, "text": "", "picture": ""}),
        "trail": explorer.classes.trail,
        "below": explorer.classes_below(query),
        "facets": explorer.facet_menus(query),
        "modes": _modes(explorer),
        "limits": {
            "text": LONGEST_TEXT,
            "where": LONGEST,
            "k": MOST,
            "usual": USUAL,
            "bytes": MOST_BYTES,
        },
        "few": FEW,
    }


def _modes(explorer: Explorer) -> dict[Mode | None, str]:
    """What texts can be searched by, the usual first; nothing where there is no choice."""
    usual = explorer.usual_mode
    others = [mode for mode in MODES if mode != usual]
    return {None: MODES[usual], **{mode: MODES[mode] for mode in others}} if usual else {}


def _said(query: Query, path: str, answers: Sequence[Answer]) -> str:
    """One line on what was found."""
    if path == SEARCH:
        return answers[0].summary
    if not (query.text or query.picture or query.like):
        return "Type a text, or choose a picture: both models are asked."
    if any(answer.error for answer in answers):
        return "There are not two lists to compare."
    found = [{hit.item_id for hit in answer.hits} for answer in answers]
    both, most = len(found[0] & found[1]), max(map(len, found))
    return f"{answers[0].heading}: {both} of {most} items are in both lists ({both / most:.0%})"


def _addresses(
    query: Query, path: str, change: Callable[[str], dict[str, str]]
) -> Callable[[str], str]:
    return lambda value: replace(query, **change(value)).address(path)  # type: ignore[arg-type]


def _chips(query: Query, path: str, explorer: Explorer, heading: str) -> list[tuple[str, str]]:
    chips: list[tuple[str, Query]] = []
    if query.picture:
        chips.append(("your picture", replace(query, picture="")))
    if query.like and not query.text and not query.picture:
        chips.append((heading or "like an item", replace(query, like="")))
    if query.within:
        shown = in_words(query.within, explorer.separator)
        chips.append((f"class: {shown}", replace(query, within="")))
    if query.where:
        chips.append((f"where: {query.where}", replace(query, where="")))
    for pair in query.filters:
        left = tuple(one for one in query.filters if one != pair)
        chips.append((describe_filter(*pair), replace(query, filters=left)))
    return [(label, one.address(path)) for label, one in chips]


def _ranks(answers: Sequence[Answer]) -> list[dict[str, int]]:
    """For each list, the places of its items in the other one."""
    rank_of = [
        {hit.item_id: place for place, hit in enumerate(answer.hits, start=1)} for answer in answers
    ]
    return [rank_of[1 - number] if len(rank_of) == 2 else {} for number in range(len(rank_of))]
