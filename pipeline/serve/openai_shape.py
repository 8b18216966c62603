"""`/v1/embeddings` as clients of OpenAI know it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from pipeline.serve.forms import check_picture, limits_of
from pipeline.serve.limits import LONGEST_TEXT
from pipeline.serve.loaded import Loaded
from pipeline.serve.questions import Item
from pipeline.serve.refused import RefusedError

ANY = "huse"
"""Name of whichever model answers at the moment."""
_PICTURE = "data:image/"


def _as_list(value: Any, info: ValidationInfo) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts:
        raise ValueError("give a text, or a list of texts")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("give texts: tokens are not taken")
    most = limits_of(info).max_items
    if len(texts) > most:
        raise ValueError(f"{len(texts)} texts; {most} are the limit: ask several times")
    if any(len(text) > LONGEST_TEXT and not text.startswith(_PICTURE) for text in texts):
        raise ValueError(f"a text has more than {LONGEST_TEXT} characters")
    return texts


class EmbeddingsForm(BaseModel):
    """What a client of OpenAI sends."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="ignore")

    input: Annotated[
        list[str],
        BeforeValidator(_as_list, json_schema_input_type=str | list[str]),
        Field(min_length=1),
    ]
    """Texts, or pictures as `data:image/png;base64,...`."""
    model: Annotated[str, Field(max_length=200)] = ANY
    """`huse`, or the name of one model, as an answer has it, if no other may answer."""
    encoding_format: Literal["float", "base64"] = "float"
    """base64: of float32, little end first."""
    dimensions: int | None = None
    """Those of the model, if given."""
    user: str | None = None
    """Not used."""

    def items(self, max_pixels: int) -> list[Item]:
        """Give the texts and pictures as the model takes them.

        Raises:
            RefusedError: A picture cannot be used.
        """
        return [self._item(n, one, max_pixels) for n, one in enumerate(self.input)]

    def _item(self, n: int, one: str, max_pixels: int) -> Item:
        if not one.startswith(_PICTURE):
            return Item(None, one)
        try:
            return Item(check_picture(one, max_pixels), None)
        except ValueError as error:
            raise RefusedError(400, f"input.{n}: {error}", param="input") from error

    def check_model(self, loaded: Loaded) -> None:
        """Refuse what this model cannot do: vectors of two models mean nothing to each other.

        Raises:
            RefusedError: Another model is wanted, or other dimensions.
        """
        if self.model not in (ANY, loaded.name):
            raise RefusedError(
                404,
                f"there is no such model; {loaded.name} answers, {ANY} is whichever does",
                code="model_not_found",
                param="model",
            )
        dimension = loaded.huse.description.dimension
        if self.dimensions not in (None, dimension):
            raise RefusedError(400, f"the model has {dimension} dimensions", param="dimensions")


def embeddings_answer(
    form: EmbeddingsForm, items: Sequence[Item], answers: Sequence[Any], loaded: Loaded
) -> dict[str, Any]:
    """Put fused vectors as OpenAI does; a token is a word here."""
    tokens = sum(len(item.text.split()) for item in items if item.text is not None)
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": n,
                "embedding": _encoded(one["fused"], form.encoding_format),
            }
            for n, one in enumerate(answers)
        ],
        "model": loaded.name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def models_answer(loaded: Loaded) -> dict[str, Any]:
    """List the names that may be asked for."""
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": loaded.since, "owned_by": "huse"}
            for name in (ANY, loaded.name)
        ],
    }


def _encoded(vector_D: np.ndarray, encoding: str) -> str | list[float]:
    if encoding == "base64":
        return base64.b64encode(vector_D.astype("<f4").tobytes()).decode()
    return vector_D.tolist()
