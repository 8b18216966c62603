"""What is asked of the page. Its address says all of it, so that a link is a query.

Items are named by their ids, which outlive the index, and an uploaded picture by its digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode

from pipeline.core.errors import InputError
from pipeline.index.hybrid import Mode
from pipeline.index.where import LONGEST

USUAL, MOST = 24, 96
"""Results of a search."""
LONGEST_TEXT = 500
"""Characters of a text."""
IS, NO, LEAST, GREATEST = "is.", "no.", "from.", "to."
"""What stands before the name of an attribute: one of its values, that it has none, bounds."""

Filters = tuple[tuple[str, str], ...]
"""Such names, and values as the address has them."""


@dataclass(frozen=True)
class Query:
    """A search: by a text, a picture or both, by an item, or by filters alone."""

    text: str = ""
    picture: str = ""
    """Digest of an uploaded one."""
    like: str = ""
    """Id of an item; a text and a picture count before it."""
    within: str = ""
    """First parts of a class path."""
    k: int = USUAL
    mode: Mode | None = None
    """What a text is searched by; None: as the index was made."""
    where: str = ""
    """An expression, as it was typed."""
    filters: Filters = ()
    """What was chosen of the attributes."""

    def address(self, path: str = "./") -> str:
        """Write the address, relative to the page's folder."""
        named = [
            *(("q", self.text), ("picture", self.picture), ("like", self.like)),
            *(("class", self.within), ("where", self.where), *self.filters),
            *(("mode", self.mode or ""), ("k", "" if self.k == USUAL else str(self.k))),
        ]
        written = urlencode([(name, value) for name, value in named if value])
        return f"{path}?{written}" if written else path

    def chosen(self, key: str) -> str:
        """What was chosen last under a name; empty where nothing was."""
        return dict(self.filters).get(key, "")

    def check(self) -> None:
        """Check the lengths of what was typed.

        Raises:
            InputError: Something is too long.
        """
        for name, value, most in (
            ("text", self.text, LONGEST_TEXT),
            ("where", self.where, LONGEST),
        ):
            if len(value) > most:
                raise InputError(f"{name}: {len(value)} characters; {most} are the most")


def read_query(pairs: Iterable[tuple[str, str]]) -> Query:
    """Read what an address asks for; what means nothing is left out.

    Args:
        pairs: Names and values, a name perhaps several times.
    """
    pairs = [(name, value.strip()) for name, value in pairs if value.strip()]
    last = dict(pairs)
    filters = [pair for pair in pairs if pair[0].startswith((IS, NO, LEAST, GREATEST))]
    k, mode = last.get("k", ""), last.get("mode")
    return Query(
        text=last.get("q", ""),
        picture=last.get("picture", ""),
        like=last.get("like", ""),
        within=last.get("class", ""),
        k=min(max(int(k), 1), MOST) if k.isdecimal() and len(k) < 9 else USUAL,
        mode=next((one for one in get_args(Mode) if one == mode), None),
        where=last.get("where", ""),
        filters=tuple(dict.fromkeys(filters)),
    )
