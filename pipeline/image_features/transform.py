"""From an RGB picture to the square of bytes that a backbone sees.

Shape letters: S side of the square.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import numpy as np
from PIL import Image

from pipeline.image_features.settings import Interpolation, Resize

# A strip of which the whole resized length would have more pixels than this many squares is cut
# before it is resized.
_LONGEST = 16


@dataclass(frozen=True)
class Transform:
    """How pixels reach a backbone; normalisation happens within its ONNX file."""

    resize: Resize
    """squash: both sides to `scale`; crop: the short side; pad: the long side."""
    size: int
    """S: the middle so many pixels of what was resized, in both directions."""
    scale: int
    """Length in pixels that `resize` speaks of; at least `size` unless padded."""
    interpolation: Interpolation
    """Pillow's filter, which widens when it shrinks a picture (antialias)."""
    mean: tuple[float, float, float]
    """Per channel, in units of pixel values 0..255."""
    std: tuple[float, float, float]
    """Per channel, in units of pixel values 0..255."""
    fill: tuple[int, int, int] = (0, 0, 0)
    """Colour beside a padded picture."""

    def __post_init__(self) -> None:
        if self.resize not in get_args(Resize) or self.interpolation not in get_args(Interpolation):
            raise ValueError(f"unknown resize or interpolation: {self}")

    def square(self, image: Image.Image) -> np.ndarray:
        """Resize an RGB picture and take its middle: [S, S, 3] uint8."""
        if self.resize == "squash":
            image = self._resized(image, self.scale, self.scale)
        elif self.resize == "crop":
            image = self._short_side(image)
        else:
            ratio = self.scale / max(image.size)
            width, height = (max(1, round(side * ratio)) for side in image.size)
            image = self._resized(image, width, height)
        return np.asarray(self._middle(image))

    def squashed(self, image: Image.Image, box: tuple[float, float, float, float]) -> np.ndarray:
        """Resize one part of a picture to the square, whatever `resize` says.

        Args:
            image: RGB.
            box: Left, top, right, bottom of the part, in pixels of the picture.

        Returns:
            [S, S, 3] uint8.
        """
        return np.asarray(image.resize((self.size, self.size), self._filter(), box=box))

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> "Transform":
        """Read what `to_json` wrote; a `ValueError` where it is no such line."""
        try:
            values: dict[str, Any] = json.loads(text)
            for key in ("mean", "std", "fill"):
                values[key] = tuple(values[key])
            return Transform(**values)
        except (TypeError, KeyError) as error:
            raise ValueError(f"no description of a transform: {text!r}") from error

    def changed(
        self,
        *,
        resize: Resize | None = None,
        size: int | None = None,
        interpolation: Interpolation | None = None,
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
    ) -> "Transform":
        """Put a user's choices in place of the weights' own; None is no choice.

        Args:
            resize: Another way to make it square; squash and pad then show the whole picture.
            size: Another S; `scale` grows in proportion.
            interpolation: Another filter.
            mean: Per channel, as shares of the full value (0..1).
            std: The same.
        """
        values: dict[str, Any] = {}
        if size is not None:
            values |= {"size": size, "scale": round(self.scale * size / self.size)}
        if resize is not None and resize != self.resize:
            values["resize"] = resize
            if resize != "crop":
                values["scale"] = values.get("size", self.size)
        if interpolation is not None:
            values["interpolation"] = interpolation
        for key, shares in (("mean", mean), ("std", std)):
            if shares is not None:
                values[key] = tuple(255.0 * share for share in shares)
        return replace(self, **values)

    def _short_side(self, image: Image.Image) -> Image.Image:
        """Resize as torchvision's Resize(scale) does: the long side is rounded down."""
        short, long = min(image.size), max(image.size)
        if long > _LONGEST * short:
            # The resized strip would not fit into memory, and all but its middle is thrown away.
            image = _cut(image, _LONGEST * short + long % 2)
            long = max(image.size)
        other = int(self.scale * long / short)
        portrait = image.width <= image.height
        size = (self.scale, other) if portrait else (other, self.scale)
        return self._resized(image, *size)

    def _resized(self, image: Image.Image, width: int, height: int) -> Image.Image:
        if image.size == (width, height):
            return image
        return image.resize((width, height), self._filter())

    def _filter(self) -> Image.Resampling:
        return Image.Resampling[self.interpolation.upper()]

    def _middle(self, image: Image.Image) -> Image.Image:
        if image.size == (self.size, self.size):
            return image
        if min(image.size) < self.size:
            canvas = (max(image.width, self.size), max(image.height, self.size))
            padded = Image.new("RGB", canvas, self.fill)
            left, top = ((a - b) // 2 for a, b in zip(canvas, image.size, strict=True))
            padded.paste(image, (left, top))
            image = padded
        left, top = (round((side - self.size) / 2.0) for side in image.size)
        return image.crop((left, top, left + self.size, top + self.size))


def _cut(image: Image.Image, length: int) -> Image.Image:
    width, height = (min(side, length) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
