"""What a text encoder is, and how one is found by name.

Shape letters: N texts, E features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from pipeline.core.block import Block
from pipeline.core.plugins import import_plugin, plugin_names
from pipeline.encoders import text


class TextEncoder(Protocol):
    """A fitted encoder: texts -> one block of features, each text by itself."""

    fingerprint: str | None
    """What the features depend on apart from what `seen` says of the text; None for an encoder so
    fast that features of an earlier run are not worth storing."""
    device: str
    """`cpu` or `cuda`, where it runs; only of an encoder with a fingerprint."""

    @classmethod
    def fit(
        cls, texts: Sequence[str], train_texts: Sequence[str], settings: Any, cache: Path
    ) -> Self:
        """Fit on training texts.

        Args:
            texts: All texts of the catalogue, which may say what to load but not what to learn.
            train_texts: Those of the training split.
            settings: The encoder's section of params.yaml.
            cache: Folder for what is worth having in the next run too: word vectors, networks.
        """

    def encode(self, texts: Sequence[str]) -> Block:
        """Encode N texts as [N, E] float32; an empty text gets a row of zeros."""

    def seen(self, texts: Sequence[str]) -> list[bytes]:
        """Say what the features depend on of each text; only of an encoder with a fingerprint.

        Texts of which the same is seen have the same features.
        """

    def maker(self) -> Callable[[], TextEncoder]:
        """Give what makes the same encoder in another process; only of one with a fingerprint.

        It travels as plain data: the files of a network, or else what the model is called, which is
        loaded there, since libraries hang on to their models what cannot travel.

        Raises:
            InputError: When called: the model is not there, or is another one.
        """

    def save(self, folder: Path) -> None:
        """Write the encoder into a folder, which is made, as safetensors and JSON."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""


def find_encoder(name: str) -> type[TextEncoder]:
    """Import the text encoder of a name.

    Raises:
        ValueError: There is none of this name.
    """
    known = plugin_names(text)
    if name not in known:
        raise ValueError(f"unknown text encoder {name!r}; known: {', '.join(known)}")
    found: type[TextEncoder] = import_plugin(text, name).Encoder
    return found
