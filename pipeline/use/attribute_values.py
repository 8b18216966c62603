"""What is believed of new items' attributes, such as their colour.

Shape letters: N items, M of them that have the same parts, V values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.attributes.heads import FILE, WEIGHTS, ValueHead, read_heads
from pipeline.core.once import once
from pipeline.features.text_matrix import side_by_side
from pipeline.use.embeddings import Features


class ValueGuess(NamedTuple):
    """The most probable value of an attribute."""

    value: Any
    """Text, a number or a truth value; a date or a time as text."""
    probability: float


def heads_folder(model: Path) -> Path:
    """Folder of the heads beside a model's: data/attributes for data/model.

    Not in it: the model's is what training makes, and heads need no training anew.
    """
    folder = model if model.name not in ("", "..") else model.resolve()
    return folder.with_name("attributes")


class AttributeValues:
    """Heads beside one model; read when they are first asked for."""

    def __init__(self, model: Path, recipe: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        """Read nothing yet.

        Args:
            model: Folder of the model.
            recipe: How its features were made, by modality.
            warn: Takes one line if there are heads for other features.
        """
        self._folder, self._recipe, self._warn = heads_folder(model), recipe, warn

    @once
    def heads(self) -> dict[str, dict[str, ValueHead]]:
        """Heads by attribute and modality; empty where none were fitted on this model's features.

        Raises:
            InputError: Their files are damaged.
        """
        found = read_heads(self._folder)
        if found is None or not found.attributes:
            return {}
        if found.recipe != self._recipe:
            self._warn(
                f"{self._folder}: {', '.join(found.attributes)} are predicted from other features "
                "than the model's, and left out; run huse attributes again"
            )
            return {}
        return found.attributes

    @property
    def files(self) -> dict[str, Path]:
        """What is published of them: place beside a model -> file here."""
        if not self.heads:
            return {}
        return {f"{self._folder.name}/{name}": self._folder / name for name in (FILE, WEIGHTS)}

    def predict(self, v: Features) -> list[dict[str, ValueGuess]]:
        """Name each item's most probable value of each attribute, from what the item has.

        Returns:
            N values by attribute; one without a head for what an item has is not among them.
        """
        found: list[dict[str, ValueGuess]] = [{} for _ in range(len(v))]
        both_N = v.has_image & v.has_text
        image_of, text_of = both_N[v.has_image], both_N[v.has_text]
        shown = {
            "image": (v.has_image & ~v.has_text, lambda: v.image_PI[~image_of]),
            "text": (v.has_text & ~v.has_image, lambda: v.text_MF[~text_of]),
            "fused": (
                both_N,
                lambda: side_by_side({"image": v.image_PI[image_of], "text": v.text_MF[text_of]}),
            ),
        }
        for modality, (has_N, read) in shown.items():
            wanted = [name for name, one in self.heads.items() if modality in one]
            if not (wanted and has_N.any()):
                continue
            features = read()
            for name in wanted:
                values, head = self.heads[name][modality]
                probability_MV = head.probabilities(features)
                best_M = probability_MV.argmax(axis=1)
                for n, best, row in zip(np.flatnonzero(has_N), best_M, probability_MV, strict=True):
                    found[n][name] = ValueGuess(values[best], float(row[best]))
        return found
