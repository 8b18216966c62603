"""Raw pictures and texts -> the features that the towers take, exactly as the stages make them.

Shape letters: N items, I image feature, T text feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from pipeline.image.decode import UnreadableImageError, _to_rgb, decode_image
from pipeline.image.extract import load_backbone
from pipeline.text.clean import clean_texts
from pipeline.text.weighted_glove import WeightedGlove


@dataclass(frozen=True)
class RawFeatures:
    """Makes features by the recipe that a model was saved with; loads what it needs when asked."""

    folder: Path
    """Folder of the model, which holds the fitted text encoder too."""
    recipe: dict[str, Any]
    """How image and text features were made, by modality."""

    def images(self, pictures: Sequence[Path | Image.Image]) -> tuple[np.ndarray, list[str]]:
        """Run the frozen backbone.

        Args:
            pictures: N files or decoded pictures.

        Returns:
            [N, I] float32 features, zeros where a picture cannot be used, and N reasons, empty
            where it can.
        """
        recipe = self.recipe["image"]
        backbone = self._backbone
        mean, std = (torch.tensor(x).view(3, 1, 1) for x in (backbone.mean, backbone.std))
        vector_NI = np.zeros((len(pictures), backbone.dimension), np.float32)
        reasons = [""] * len(pictures)
        for n, picture in enumerate(pictures):
            try:
                if isinstance(picture, Path):
                    image = decode_image(picture, recipe["background"])
                else:
                    image = _to_rgb(picture, recipe["background"])
            except UnreadableImageError as error:
                reasons[n] = str(error)
                continue
            size = (backbone.size, backbone.size)
            if image.size != size:
                image = image.resize(size, Image.Resampling.BICUBIC)
            pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
            with torch.inference_mode():
                vector_NI[n] = backbone.module((pixels - mean) / std).numpy()[0]
        return vector_NI, reasons

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
    def _backbone(self) -> Any:
        return load_backbone(self.recipe["image"]["backbone"], self.recipe["image"]["layer"])

    @cached_property
    def _encoder(self) -> WeightedGlove:
        return WeightedGlove.load(self.folder)
