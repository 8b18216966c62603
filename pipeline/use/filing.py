"""How certain a model's answers must be, from what it said of its validation items."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.core.once import once
from pipeline.decide.thresholds import Threshold, fit_thresholds
from pipeline.model.description import MODALITIES
from pipeline.model.validation_file import Validation, read_validation

MOST_FITTED = 1000
"""Thresholds that are kept at a time."""


class Filing:
    """Thresholds of one model; fitted when they are asked for, and kept."""

    def __init__(self, folder: Path, digest: str, warn: Callable[[str], None]) -> None:
        """Read nothing yet.

        Args:
            folder: Of the model.
            digest: Of its weights.
            warn: Takes one line if the model kept nothing of its validation items.
        """
        self._folder, self._digest, self._warn = folder, digest, warn
        self._fitted: dict[tuple[str, float, float], list[Threshold]] = {}

    @once
    def _validation(self) -> Validation | None:
        found = read_validation(self._folder, self._digest)
        if found is None:
            self._warn(
                f"{self._folder}: the model has nothing of its validation items, so no item is "
                "filed; train again"
            )
        return found

    def thresholds(self, modality: str, precision: float, confidence: float) -> list[Threshold]:
        """Fit a threshold per level of the class tree; see `fit_thresholds`.

        Args:
            modality: What items have: `image`, `text`, or both, `fused`.
            precision: Wanted share of the filed items that are filed rightly, in (0, 1).
            confidence: Of the guarantee, in (0, 1).

        Returns:
            None at all where the model kept nothing of its validation items.

        Raises:
            InputError: What it kept is damaged.
            ValueError: A share is out of range.
        """
        if self._validation is None:
            return []
        key = (modality, precision, confidence)
        if key not in self._fitted:
            if len(self._fitted) >= MOST_FITTED:  # others ask a server for whatever share they like
                self._fitted.clear()
            self._fitted[key] = fit_thresholds(
                *self._validation.asked(modality),
                precision=precision,
                confidence=confidence,
            )
        return self._fitted[key]

    def can_file(self, precision: float, confidence: float) -> bool:
        """Whether there is a threshold at all, for what items may have and at any level.

        True where the model kept nothing of its validation items, which is told otherwise.
        """
        return self._validation is None or any(
            one.least is not None
            for modality in MODALITIES
            for one in self.thresholds(modality, precision, confidence)
        )

    def of_items(
        self, has_image_N: np.ndarray, has_text_N: np.ndarray, precision: float, confidence: float
    ) -> list[list[Threshold]]:
        """Give each of N items the thresholds of what it has, by two [N] bool."""
        return [
            self.thresholds(MODALITIES[2 if image and text else int(text)], precision, confidence)
            for image, text in zip(has_image_N.tolist(), has_text_N.tolist(), strict=True)
        ]
