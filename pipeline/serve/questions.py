"""What is asked of a model, and the answers to many requests at once.

Shape letters: N items, B of them, D embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from pipeline.core.errors import InputError
from pipeline.decide.settings import ClassifySettings
from pipeline.index.hybrid import Mode
from pipeline.pictures.file import PictureBytes
from pipeline.use.api import Huse
from pipeline.use.embeddings import Features
from pipeline.use.new_items import NewItem
from pipeline.use.pooled_pictures import LeftOut
from pipeline.use.write_classes import Classified


class Item(NamedTuple):
    """What a client knows of an item: a picture or several, a text or both."""

    picture: bytes | list[bytes] | None
    """Its file, or those of several."""
    text: str | None

    def pictures(self) -> list[PictureBytes]:
        """Give all of them as the model takes them."""
        if self.picture is None:
            return []
        files = self.picture if isinstance(self.picture, list) else [self.picture]
        return [PictureBytes(file) for file in files]


class Question(Protocol):
    """What is wanted to know of items; equal ones are answered together."""

    of_new_items: ClassVar[bool]
    """Whether it is asked of items that may come into the catalogue, not of a search."""

    def __hash__(self) -> int: ...

    def answer(self, model: Huse, features: Features) -> list[Any]:
        """Give an answer per item.

        Raises:
            InputError: It cannot be answered, and why.
        """


@dataclass(frozen=True)
class Search:
    """Which items of the catalogue are nearest; the answer is as `huse search --json` has it."""

    of_new_items: ClassVar[bool] = False

    k: int = 10
    within: str | None = None
    where: str | None = None
    mode: Mode | None = None

    def answer(self, model: Huse, features: Features) -> list[Any]:
        """Give hits and nearness of each item."""
        points = model.embed_features(features)
        found = model.search(points, self.k, self.within, self.mode, self.where)
        return [
            {**nearness._asdict(), "hits": [hit.as_dict() for hit in hits]}
            for nearness, hits in zip(model.near(points), found, strict=True)
        ]


@dataclass(frozen=True)
class Classify:
    """What items are, and where they may be filed; as `huse classify --json` has it."""

    of_new_items: ClassVar[bool] = True

    settings: ClassifySettings
    k: int = 3

    def answer(self, model: Huse, features: Features) -> list[Any]:
        """Give state, filed, decided, top and nearness of each item."""
        predictions = model.classify(features, self.k, **self.settings.model_dump())
        rows = (
            Classified(NewItem(0, "", ""), *row).as_json()
            for row in zip(predictions, model.near(features), strict=True)
        )
        return [
            {name: value for name, value in row.items() if name not in NewItem._fields}
            for row in rows
        ]


@dataclass(frozen=True)
class Embed:
    """Where items are in the embedding space."""

    of_new_items: ClassVar[bool] = True

    def answer(self, model: Huse, features: Features) -> list[Any]:
        """Give [D] vectors by modality of each item, None where it has no such part."""
        points = model.embed_features(features).modalities
        return [
            {name: None if np.isnan(one[n, 0]) else one[n] for name, one in points.items()}
            for n in range(len(features))
        ]


class Asked(NamedTuple):
    """What one request asks."""

    model: Huse
    """The one that was there when the request came."""
    question: Question
    items: Sequence[Item]


def answer_together(
    asked: Sequence[Asked], record: Callable[[Huse, Features], None] | None = None
) -> list[list[Any] | Exception]:
    """Answer the requests of one model, its encoders run once for the items of all.

    `record` takes the items that are not searched by.

    Returns:
        Of each request an answer per item, or why there is none. One with an item that cannot be
        used takes nothing from the others, nor does one whose trouble is unforeseen.
    """
    try:
        return _answer(asked, record)
    except Exception as error:  # noqa: BLE001 - it is that request's answer
        if len(asked) == 1:
            return [error]
        return [answer for one in asked for answer in answer_together([one], record)]


def _answer(
    asked: Sequence[Asked], record: Callable[[Huse, Features], None] | None
) -> list[list[Any] | Exception]:
    model = asked[0].model
    items = [item for one in asked for item in one.items]
    left_out: list[LeftOut] = []
    features, reasons = model.read_features(
        [item.pictures() for item in items], [item.text for item in items], left_out.append
    )
    # Places of the items among those that can be used.
    row_N = np.cumsum([not reason for reason in reasons]) - 1
    # A client is told in no other way that a picture of several was not looked at.
    for lost in left_out:
        reasons[lost.item] = f"picture {lost.place}: {lost.reason}"
    answers: dict[int, list[Any] | Exception] = {}
    together: dict[Question, list[tuple[int, np.ndarray]]] = {}
    start = 0
    for number, one in enumerate(asked):
        own = slice(start, start + len(one.items))
        start = own.stop
        bad = next(((n, why) for n, why in enumerate(reasons[own]) if why), None)
        if bad is not None:
            place = f"item {bad[0]}: " if len(one.items) > 1 else ""
            answers[number] = InputError(f"{place}{bad[1]}")
        else:
            together.setdefault(one.question, []).append((number, row_N[own]))
    for question, parts in together.items():
        row_B = np.concatenate([rows for _, rows in parts])
        items_B = features.take(row_B)
        try:
            found = question.answer(model, items_B)
        except InputError as error:
            # Its frames would hold the model until the next search for cycles.
            answers |= {number: error.with_traceback(None) for number, _ in parts}
            continue
        if record is not None and question.of_new_items:
            record(model, items_B)
        for number, rows in parts:
            answers[number], found = found[: len(rows)], found[len(rows) :]
    return [answers[number] for number in range(len(asked))]
