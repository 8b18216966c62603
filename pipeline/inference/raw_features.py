"""Raw pictures and texts -> the features that the towers take, exactly as the stages make them.

Shape letters: N items, I image feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from pipeline.files.location import Location
from pipeline.models.text_input import TextInput, text_input
from pipeline.text.encoder_digest import KEY, check_encoder
from pipeline.text.featurizer import TextFeaturizer

if TYPE_CHECKING:
    from pipeline.image.extractor import Extractor


@dataclass(frozen=True)
class RawFeatures:
    """Makes features by the recipe that a model was saved with; loads what it needs when asked."""

    folder: Path
    """Folder of the model, which holds the fitted text encoders too."""
    recipe: dict[str, Any]
    """How image and text features were made, by modality."""

    def images(
        self, pictures: Sequence[Location | Image.Image]
    ) -> tuple[np.ndarray, list[str | None]]:
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

    def texts(self, texts: Sequence[str]) -> TextInput:
        """Clean and encode texts.

        Args:
            texts: N texts as a user writes them.

        Returns:
            N rows of the text tower's input.
        """
        return text_input(self._featurizer.encode(texts))

    @cached_property
    def _extractor(self) -> Extractor:
        from pipeline.image.extractor import load_extractor

        return load_extractor(self.recipe["image"])

    @cached_property
    def _featurizer(self) -> TextFeaturizer:
        folder = self.folder / "text_encoder"
        check_encoder(folder, self.recipe["text"].get(KEY), "train again")
        return TextFeaturizer.load(folder)
