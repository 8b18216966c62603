"""Raw pictures and texts -> the features that the towers take, exactly as the stages make them.

Shape letters: N items, I image feature, T text feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from pipeline.text.clean import clean_texts
from pipeline.text.weighted_glove import WeightedGlove

if TYPE_CHECKING:
    from pipeline.image.extractor import Extractor


@dataclass(frozen=True)
class RawFeatures:
    """Makes features by the recipe that a model was saved with; loads what it needs when asked."""

    folder: Path
    """Folder of the model, which holds the fitted text encoder too."""
    recipe: dict[str, Any]
    """How image and text features were made, by modality."""

    def images(self, pictures: Sequence[Path | Image.Image]) -> tuple[np.ndarray, list[str | None]]:
        """Run the frozen backbone.

        Args:
            pictures: N files or decoded pictures.

        Returns:
            [N, I] float32 features and N reasons, None where a picture can be used; the features
            of the others are NaN.
        """
        if not pictures:  # a search by text need not wait for the network
            return np.empty((0, int(self.recipe["image"]["dimension"])), np.float32), []
        return self._extractor.extract(pictures)

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Clean and encode texts.

        Args:
            texts: N texts as a user writes them.

        Returns:
            [N, T] float32 input of the text tower; a row of zeros where no word is known.
        """
        recipe = self.recipe["text"]
        clean = clean_texts(texts, recipe=recipe["recipe"], fold=recipe["fold_accents"] == "true")
        return torch.from_numpy(self._encoder.encode(clean))

    def knows(self, texts: Sequence[str]) -> list[bool]:
        """Tell whether texts have features.

        Args:
            texts: N texts as a user writes them.

        Returns:
            N; false where every feature is zero.
        """
        return self.texts(texts).any(dim=1).tolist()

    @cached_property
    def _extractor(self) -> Extractor:
        from pipeline.image.extractor import load_extractor

        return load_extractor(self.recipe["image"])

    @cached_property
    def _encoder(self) -> WeightedGlove:
        return WeightedGlove.load(self.folder)
