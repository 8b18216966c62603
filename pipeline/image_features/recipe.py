"""All that decides what vector a picture gets, as stored in the features' Parquet file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.core.errors import InputError
from pipeline.image_features.transform import Transform

FORMAT = "4"
"""Raised when a change of this code gives pictures other vectors, which makes caches void."""

# The filter still sees twice the pixels that it makes, which keeps its result close to the exact
# one and leaves augmented views enough to be cut from.
_SPARE = 2


@dataclass(frozen=True)
class Recipe:
    """From the bytes of a picture to its vector."""

    backbone: str
    weights: str
    """`default`, `none` or a path; `weights_digest` tells whether it still means the same."""
    weights_digest: str
    layer: str
    dimension: int
    transform: Transform
    jpeg: str
    """`exact`, or `scaled`: decoded no larger than the transform has a use for."""
    background: str
    """Colour under transparent pixels, `#rrggbb`."""
    max_pixels: int
    precision: str
    runtime: str
    versions: str
    """What `decisive_versions` said where the vectors were made."""

    def metadata(self) -> dict[str, str]:
        """The recipe as text, which `from_metadata` reads."""
        fields = asdict(self) | {"transform": self.transform.to_json(), "image_format": FORMAT}
        return {key: str(value) for key, value in fields.items()}

    @staticmethod
    def from_metadata(metadata: Mapping[str, str]) -> "Recipe":
        """Read a recipe back.

        Raises:
            InputError: A key is missing or damaged, or another version of the code made it.
        """
        if metadata.get("image_format") != FORMAT:
            raise InputError(
                f"image features of format {metadata.get('image_format')}, this program makes "
                f"{FORMAT}; run image_features again, then train"
            )
        try:
            values: dict[str, Any] = {key: metadata[key] for key in Recipe.__dataclass_fields__}
            return Recipe(
                **values
                | {
                    "dimension": int(values["dimension"]),
                    "max_pixels": int(values["max_pixels"]),
                    "transform": Transform.from_json(values["transform"]),
                }
            )
        except (KeyError, ValueError) as error:
            raise InputError(
                f"damaged description of image features ({error}); run image_features again"
            ) from error

    def least_side(self) -> int | None:
        """How short the sides of a decoded picture may get; None: no shorter than they are."""
        return None if self.jpeg == "exact" else _SPARE * self.transform.scale

    def fingerprint(self) -> str:
        """32 hex digits that differ when vectors of the same picture may differ."""
        fields = self.metadata()
        # Where the weights lie does not matter, and a limit changes no vector.
        del fields["weights"], fields["max_pixels"]
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:32]


def row_key(content_digest: bytes, view: int, augment: str) -> bytes:
    """Name one view of one picture, wherever the file lies and whoever refers to it.

    Args:
        content_digest: Sha256 of the file.
        view: 0 is the clean picture.
        augment: Name of the augmentation that makes the other views.

    Returns:
        32 bytes.
    """
    if view == 0:
        return content_digest
    return hashlib.sha256(content_digest + f"{augment} {view}".encode()).digest()
