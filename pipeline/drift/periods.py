"""A log, put together by day, week or month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from pipeline.drift.batch_log import Batch, Kept
from pipeline.drift.moments import Moments

By = Literal["day", "week", "month"]
MOST_CANDIDATES = 20_000
"""Items that a queue is chosen from, the least certain: 20 MiB of the default embeddings."""


@dataclass
class Period:
    """What was recorded in one day, week or month."""

    name: str
    """As ISO 8601 has it: 2026-11-02, 2026-W45, 2026-11."""
    items: int = 0
    judged: int = 0
    """Items of which somebody could tell whether anything is near."""
    far: int = 0
    """Those that nothing is near to."""
    probability: float = 0.0
    """Sum of the items' greatest probabilities."""
    classes: Counter[str] = field(default_factory=Counter)
    """Items by most probable class."""
    moments: dict[str, Moments] = field(default_factory=dict)
    """Of the features, by modality."""

    def add(self, batch: Batch) -> None:
        """Count a batch too."""
        self.items += len(batch.paths)
        self.judged += sum(near is not None for near in batch.near)
        self.far += sum(near is False for near in batch.near)
        self.probability += float(batch.probability_N.sum())
        self.classes.update(batch.paths)
        for name, moments in batch.moments.items():
            known = self.moments.get(name)
            self.moments[name] = moments if known is None else known.plus(moments)


class Gathered(NamedTuple):
    """A log as far as it is of one model."""

    periods: list[Period]
    """In their order."""
    candidates: list[Kept]
    """Items to choose a queue from, the least certain first; each once."""
    others: int
    """Batches of other models, which were left out."""


def gather(batches: Iterable[Batch | None], by: By) -> Gathered:
    """Put batches together; memory does not grow with their number.

    Args:
        batches: From `read_log`.
        by: What a period is, in UTC.
    """
    periods: dict[str, Period] = {}
    # An item that came twice is labelled once.
    candidates: dict[tuple[str, str], Kept] = {}
    others = 0
    for batch in batches:
        if batch is None:
            others += 1
            continue
        name = period_name(batch.when, by)
        periods.setdefault(name, Period(name)).add(batch)
        for one in batch.kept:
            known = candidates.get((one.image, one.text))
            if known is None or known.when <= one.when:
                candidates[one.image, one.text] = one
        if len(candidates) > 2 * MOST_CANDIDATES:
            candidates = {(one.image, one.text): one for one in _least_certain(candidates)}
    in_order = [periods[name] for name in sorted(periods)]
    return Gathered(in_order, _least_certain(candidates), others)


def _least_certain(candidates: dict[tuple[str, str], Kept]) -> list[Kept]:
    ordered = sorted(candidates.items(), key=lambda pair: (-pair[1].uncertainty, pair[0]))
    return [one for _, one in ordered[:MOST_CANDIDATES]]


def period_name(when: datetime, by: By) -> str:
    """Name the period that a time is in."""
    if by == "week":
        year, week, _ = when.isocalendar()
        return f"{year}-W{week:02}"
    return when.strftime("%Y-%m-%d" if by == "day" else "%Y-%m")
