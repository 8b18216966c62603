"""A table of new items classified, as a file.

Rows go to the file as they come, so that the table is never in memory as a whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.attributes.settings import PROBABILITY
from pipeline.core.atomic import atomic_path
from pipeline.core.csv_file import csv_writer
from pipeline.core.errors import InputError
from pipeline.decide.settings import ClassifySettings
from pipeline.index.nearness import Nearness
from pipeline.use.api import Huse
from pipeline.use.new_items import BadRow, Counts, ItemBatch, NewItem
from pipeline.use.prediction import Guess, Prediction, State

NEAR = ("near", "distance", "limit")
"""What a classified row says of its nearness."""


class Classified(NamedTuple):
    """A row of a table with what is believed of its class."""

    item: NewItem
    prediction: Prediction
    nearness: Nearness

    @property
    def state(self) -> State:
        """What becomes of the item; one that is like nothing in the catalogue is no class of it."""
        return "unknown" if self.nearness.near is False else self.prediction.state

    @property
    def filed(self) -> Guess | None:
        """Where it is filed unattended, if it is."""
        return None if self.state == "unknown" else self.prediction.filed

    def as_json(self) -> dict[str, Any]:
        """Nested, for programs: item, state, filed, decided, top, nearness, attributes."""
        return {
            **self.item._asdict(),
            "state": self.state,
            "filed": None if self.filed is None else self.filed._asdict(),
            "decided": self.prediction.decided._asdict(),
            "top": [guess._asdict() for guess in self.prediction.top],
            **{name: getattr(self.nearness, name) for name in NEAR},
            "attributes": {
                name: guess._asdict() for name, guess in self.prediction.attributes.items()
            },
        }

    def as_row(self, attributes: Sequence[str] = ()) -> list[Any]:
        """Flat, for spreadsheets: values of the columns of `csv_columns`."""
        nothing = (None, None)
        guesses = [self.filed or nothing, self.prediction.decided, *self.prediction.top]
        flat = (value for guess in guesses for value in guess)
        said = [self.prediction.attributes.get(name, nothing) for name in attributes]
        near = (getattr(self.nearness, name) for name in NEAR)
        return [*self.item, self.state, *flat, *near, *(value for guess in said for value in guess)]


def csv_columns(k: int, attributes: Sequence[str] = ()) -> list[str]:
    """Name the columns of a table with `k` classes per item and the attributes that are predicted.

    An empty `near` cannot be told.
    """
    filed = [f"{kind}_{name}" for kind in ("filed", "decided") for name in Guess._fields]
    numbered = [f"{name}_{n}" for n in range(1, k + 1) for name in Guess._fields]
    said = [f"attribute_{name}{end}" for name in attributes for end in ("", PROBABILITY)]
    return [*NewItem._fields, "state", *filed, *numbered, *NEAR, *said]


def classify_table(
    model: Huse,
    batches: Iterable[ItemBatch],
    write: Callable[[list[Classified]], None],
    refuse: Callable[[list[BadRow]], None],
    *,
    k: int,
    settings: ClassifySettings,
    record: Callable[..., None] | None = None,
) -> tuple[Counts, Counter[State]]:
    """Classify the items of a table, which `write` takes some at a time.

    `refuse` takes the rows that were kept out; `record` each batch with its `predictions` and
    `nearness`.

    Returns:
        How many rows were used, and what has become of them.
    """
    counts, states = Counts(0, 0), Counter[State]()
    for batch in batches:
        predictions = model.classify(batch.features, k, **settings.model_dump())
        judged = model.near(batch.features)
        rows = [Classified(*row) for row in zip(batch.items, predictions, judged, strict=True)]
        write(rows)
        if record is not None:
            record(batch, predictions=predictions, nearness=judged)
        states.update(row.state for row in rows)
        refuse(batch.rejected)
        counts = counts.plus(batch)
    return counts, states


@contextmanager
def classified_writer(
    out: Path, k: int, attributes: Sequence[str] = ()
) -> Iterator[Callable[[list[Classified]], None]]:
    """Write classified rows to CSV, JSON or JSON Lines, by the file's ending, some at a time.

    Args:
        out: The file.
        k: Classes per item.
        attributes: Which are predicted.

    Raises:
        InputError: The file cannot be written, or its name has another ending.
    """
    if out.suffix not in (".csv", ".jsonl", ".json"):
        raise InputError(f"--out: {out} ends in none of .csv, .json, .jsonl")
    if out.suffix == ".csv":
        with csv_writer(out, csv_columns(k, attributes)) as write_rows:
            yield lambda rows: write_rows([row.as_row(attributes) for row in rows])
        return
    # One object per line in both, so that neither needs the whole table in memory.
    first, between, last = ("[\n", ",\n", "\n]\n") if out.suffix == ".json" else ("", "\n", "\n")
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(first)
        started = False

        def write(rows: list[Classified]) -> None:
            nonlocal started
            for row in rows:
                file.write(between if started else "")
                file.write(json.dumps(row.as_json(), ensure_ascii=False))
                started = True

        yield write
        file.write(last)
