"""Raw pictures and texts -> the features that the towers take, exactly as the stages make them.

Shape letters: N items, I image feature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from pipeline.core.block import Block, finite_rows
from pipeline.core.location import Location
from pipeline.core.once import once
from pipeline.encoders.pretrained import PretrainedEncoder
from pipeline.features.encoder_digest import KEY, check_encoder
from pipeline.features.text_matrix import side_by_side
from pipeline.pictures.file import PictureBytes
from pipeline.use.featurizer import TextFeaturizer

if TYPE_CHECKING:
    from pipeline.image_features.picture_encoder import PictureEncoder


@dataclass(frozen=True)
class RawFeatures:
    """Makes features by the recipe that a model was saved with; loads what it needs when asked."""

    folder: Path
    """Folder of the model, which holds the image network and the fitted text encoders too."""
    recipe: dict[str, Any]
    """How image and text features were made, by modality."""
    warn: Callable[[str], None]
    """Takes one line if pictures are read by other versions of packages than the catalogue's, and
    one if the model lacks their network."""

    def images(
        self, pictures: Sequence[Location | PictureBytes | Image.Image]
    ) -> tuple[np.ndarray, list[str | None]]:
        """Run the frozen backbone.

        Returns:
            [N, I] float32 features and N reasons, None where a picture can be used; the features
            of the others are NaN.
        """
        if not pictures:  # a search by text need not wait for the network
            return np.empty((0, int(self.recipe["image"]["dimension"])), np.float32), []
        return self._picture_encoder.encode(pictures)

    def texts(self, texts: Sequence[str]) -> tuple[Block, list[str | None]]:
        """Clean and encode texts.

        Returns:
            [N, F] of all blocks as `side_by_side` puts them, and N reasons, None where a text can
            be used.
        """
        blocks = self._featurizer.encode(texts)
        reasons: list[str | None] = [None] * len(texts)
        for name, block in blocks.items():
            for row in np.flatnonzero(~finite_rows(block)):
                reasons[row] = f"features of the text are not finite ({name}); write it otherwise"
        return side_by_side(blocks), reasons

    @once
    def _picture_encoder(self) -> PictureEncoder:
        from pipeline.image_features.picture_encoder import load_picture_encoder
        from pipeline.image_features.versions import decisive_versions

        encoder = load_picture_encoder(self.recipe["image"], self._picture_network())
        made, here = encoder.recipe.versions, decisive_versions(encoder.recipe.runtime)
        if made != here:
            self.warn(
                f"the catalogue's image features were made with {made}, here is {here}: those of "
                "new pictures may differ a little"
            )
        return encoder

    def _picture_network(self) -> Path | None:
        """The file that new pictures are run by; where there is none the user is told why."""
        from pipeline.image_features.network_file import find_network

        made_by = self.recipe["image"]
        if KEY not in made_by:
            self.warn(
                f"{self.folder} is of a version that did not keep the image network, which is made "
                "anew each time: slower; run image_features and train again"
            )
            return None
        folder = self.folder / "image_encoder"
        check_encoder(folder, made_by[KEY], "train again")
        network = find_network(folder)
        if network is None:
            self.warn(
                f"{self.folder} holds no image network, since torch ran it: slower; set "
                "image.runtime to onnxruntime, run image_features and train again"
            )
        return network

    @once
    def _featurizer(self) -> TextFeaturizer:
        folder = self.folder / "text_encoder"
        check_encoder(folder, self.recipe["text"].get(KEY), "train again")
        featurizer = TextFeaturizer.load(folder)
        for name, encoder in featurizer.encoders.items():
            if isinstance(encoder, PretrainedEncoder) and encoder.network is None:
                self.warn(
                    f"text encoder {name} came without its network, so the library behind it is "
                    "loaded, which takes seconds; a model made by this version may have one"
                )
        return featurizer
