"""Whether a query is near anything in the catalogue: what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

PARTS = {"image": "picture", "text": "text"}
"""What a person calls the parts of a query."""


class Nearness(NamedTuple):
    """How near a query is to the catalogue, by its picture or its text."""

    near: bool | None
    """None: no claim is made, as there is no limit to compare with."""
    distance: float | None
    """Cosine distance of the features to those of the nearest item, in [0, 2]; None where there is
    nothing to compare, as no word of a text is known or no index says what is near."""
    limit: float | None
    """What `share` of the validation items stay within; None: not calibrated."""
    share: float | None
    modality: str
    """Which part was judged: image or text."""

    def warning(self) -> str | None:
        """One line if nothing is near; None if something is, or nobody can tell."""
        if self.near is not False:
            return None
        part = PARTS[self.modality]
        start = f"nothing in the catalogue is near this {part}"
        if self.distance is None or self.limit is None or self.share is None:
            return f"{start}: no word of it is known"
        within = f"{100 * self.share:g} % of the validation {part}s are within {self.limit:.2f}"
        return f"{start} (feature distance {self.distance:.2f}; {within})"


def decide(parts: Sequence[Nearness]) -> Nearness:
    """Judge a query by the one of its parts that is nearest for its kind.

    So something is near if it is near to any part, and nothing if every part is far.
    """
    order = {True: 0, None: 1, False: 2}

    def rank(part: Nearness) -> tuple[int, float]:
        if part.distance is None or not part.limit:
            return order[part.near], float("inf")
        return order[part.near], part.distance / part.limit

    return min(parts, key=rank)
