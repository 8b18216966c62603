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
    """Which part is told of: image or text."""

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
    """Judge an item by all of its parts, each distance in units of its limit.

        near: root of the mean of (distance / limit) squared is at most 1

    so one part may be beyond its limit if the other is well within. Parts without a distance are
    left out, as a text without a known word says nothing beside a picture. Beside a part without a
    limit no item is called far.

    Returns:
        The nearest part of an item that is near, the farthest of one that is far: its `near` is
        what is said of the item.
    """
    told = [part for part in parts if part.distance is not None] or list(parts[:1])
    unclear = [part for part in told if part.near is None]
    if unclear:
        return next((part for part in told if part.near), unclear[0])
    ratios = [_in_limits(part) for part in told]
    far = sum(ratio**2 for ratio in ratios) > len(ratios)
    return told[ratios.index(max(ratios) if far else min(ratios))]


def _in_limits(part: Nearness) -> float:
    """Distance in units of the limit."""
    if part.distance is None or not part.limit:
        return 0.0 if part.near else float("inf")
    return part.distance / part.limit
