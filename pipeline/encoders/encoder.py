"""What a text encoder is, and how one is found by name.

Shape letters: N texts, E features.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from pipeline.core.block import Block
from pipeline.encoders import ENCODERS


class TextEncoder(Protocol):
    """A fitted encoder: texts -> one block of features, each text by itself."""

    fingerprint: str | None
    """What the features depend on apart from what `seen` says of the text; None for an encoder so
    fast that features of an earlier run are not worth keeping."""

    @classmethod
    def fit(cls, texts: Sequence[str], train_texts: Sequence[str], **settings: Any) -> Self:
        """Fit on training texts.

        Args:
            texts: All texts of the catalogue, which may say what to load but not what to learn.
            train_texts: Those of the training split.
            settings: The encoder's section of params.yaml.
        """

    def encode(self, texts: Sequence[str]) -> Block:
        """Encode texts.

        Args:
            texts: N texts; an empty one gets a row of zeros.

        Returns:
            [N, E] float32.
        """

    def seen(self, texts: Sequence[str]) -> list[bytes]:
        """Say what the features depend on of each text; only of an encoder with a fingerprint.

        Args:
            texts: N texts.

        Returns:
            N; texts of which the same is seen have the same features.
        """

    def save(self, folder: Path) -> None:
        """Write the encoder into a folder, as safetensors and JSON.

        Args:
            folder: Created if missing.
        """

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Args:
            folder: The folder given to `save`.
        """


def find_encoder(name: str) -> type[TextEncoder]:
    """Import an encoder.

    Args:
        name: A key of `ENCODERS`.

    Returns:
        Its class.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in ENCODERS:
        raise ValueError(f"unknown text encoder {name!r}; known: {', '.join(ENCODERS)}")
    return getattr(importlib.import_module(f"pipeline.encoders.{name}"), ENCODERS[name])
