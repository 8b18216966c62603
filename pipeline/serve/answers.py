"""What a client is sent."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from pipeline.features.attributes import json_value

HEADER = "X-Model"
"""Tells which model has answered."""


class Answer(BaseModel):
    """Described for the OpenAPI document; answers are not checked by it when they are sent."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class Near(Answer):
    """How near an item is to anything in the catalogue, by its picture or its text."""

    near: bool | None
    """Null: nobody can tell."""
    distance: float | None
    """Cosine distance of the features to those of the nearest item."""
    limit: float | None
    """What most validation items stay within."""


class HitAnswer(Answer):
    """An item of the catalogue."""

    item_id: str
    image: str
    """Path relative to the catalogue's folder of pictures."""
    text: str
    class_path: str
    distance: float
    """Cosine distance to what was asked, in [0, 2]."""
    words: float | None
    """Share of the words that the item's text has; null: words were not looked for."""
    attributes: dict[str, Any]
    """What the catalogue's table says beside."""
    likely_path: str | None
    """A class that was added to the model and is the item's most probable one: predicted, while the
    item is filed under `class_path`; null: there is none."""


class SearchAnswer(Near):
    """The nearest items, the best first."""

    share: float | None
    """Of the validation items that are within the limit."""
    modality: Literal["image", "text"]
    """Which part nearness is told of."""
    hits: list[HitAnswer]


class GuessAnswer(Answer):
    """A node of the class tree."""

    path: str
    probability: float


class ValueAnswer(Answer):
    """The most probable value of an attribute."""

    value: str | int | float | bool
    """A date or a time is text."""
    probability: float


class ClassifiedAnswer(Near):
    """What is believed of an item's class."""

    state: Literal["filed", "filed above", "review", "unknown"]
    filed: GuessAnswer | None
    """Where it may be filed unattended."""
    decided: GuessAnswer
    """Where it is put whatever the precision."""
    top: list[GuessAnswer]
    """The most probable classes, the best first."""
    attributes: dict[str, ValueAnswer]
    """What attributes the item has, of those that are predicted."""


class ClassifyAnswer(Answer):
    """What is believed of the items, in their order."""

    items: list[ClassifiedAnswer]
    can_file: bool
    """Whether an item can be filed at that precision at all."""


class EmbeddedAnswer(Answer):
    """Vectors of unit norm, null for what an item has not."""

    image: list[float] | None
    text: list[float] | None
    fused: list[float]
    """Of what there is."""


class EmbedAnswer(Answer):
    """Where the items are, in their order."""

    model: str
    dimension: int
    items: list[EmbeddedAnswer]


class ModelAnswer(Answer):
    """Which model answers."""

    status: Literal["ok", "stuck"]
    model: str
    digest: str
    """SHA-256 of the model's weights."""
    items: int
    """Of its index."""
    since: int
    """When it was loaded, in seconds of the epoch."""


class ReloadAnswer(ModelAnswer):
    """Which model answers from now on."""

    before: str
    """The model that did until now."""


class Reason(Answer):
    """Why a request is not answered."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(Answer):
    """As OpenAI's."""

    error: Reason


def json_response(content: Any, model: str) -> Response:
    """Put an answer in JSON, which has no NaN: there it says null."""
    try:
        text = _dumped(content)
    except ValueError:
        text = _dumped(_finite(content))
    return Response(text.encode(), media_type="application/json", headers={HEADER: model})


def _dumped(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, default=json_value)


def _finite(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _finite(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_finite(one) for one in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node
