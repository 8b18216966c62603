"""Augmented views of a picture, by named recipes."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from pipeline.image_features.transform import Transform

Augmentation = Callable[[Image.Image, np.random.Generator, Transform, str], np.ndarray]


def augmented(
    image: Image.Image,
    *,
    recipe: str,
    content_digest: bytes,
    view: int,
    transform: Transform,
    background: str,
) -> np.ndarray:
    """Make one augmented view.

    The random numbers come from the picture's content and the view alone, so that a rerun, another
    number of workers and another item with the same picture give the same pixels.

    Args:
        image: RGB.
        recipe: A key of `RECIPES`.
        content_digest: Sha256 of the picture's file.
        view: 1 or above.
        transform: What the backbone wants of a clean picture.
        background: Colour of corners that a rotation lays bare, `#rrggbb`.
    """
    seed = [int.from_bytes(content_digest[:8], "big"), view]
    return RECIPES[recipe](image, np.random.default_rng(seed), transform, background)


def _crop_a(
    image: Image.Image, generator: np.random.Generator, transform: Transform, background: str
) -> np.ndarray:
    """Notebook A: short side to 256, a random square of 224; in proportion for other sizes."""
    # The square is chosen in the picture as it stands, so that only the square is resized.
    visible = min(image.size) * 224 / 256
    left, top = (generator.random() * (length - visible) for length in image.size)
    return transform.squashed(image, (left, top, left + visible, top + visible))


def _rotate_flip_b(
    image: Image.Image, generator: np.random.Generator, transform: Transform, background: str
) -> np.ndarray:
    """Notebook B: longest side at most 400, rotation within 15 degrees, perhaps mirrored."""
    image = image.copy()
    image.thumbnail((400, 400), Image.Resampling.BICUBIC)
    angle = generator.uniform(-15.0, 15.0)
    image = image.rotate(angle, Image.Resampling.BILINEAR, fillcolor=background)
    if generator.random() < 0.5:
        image = ImageOps.mirror(image)
    return transform.square(image)


def _crop_flip(
    image: Image.Image, generator: np.random.Generator, transform: Transform, background: str
) -> np.ndarray:
    """Half to all of the picture's area at 3:4 to 4:3 of its own proportions, perhaps mirrored."""
    area = generator.uniform(0.5, 1.0)
    stretch = np.exp(generator.uniform(np.log(3 / 4), np.log(4 / 3)))
    width = image.width * min(1.0, np.sqrt(area * stretch))
    height = image.height * min(1.0, np.sqrt(area / stretch))
    left = generator.uniform(0.0, image.width - width)
    top = generator.uniform(0.0, image.height - height)
    pixels = transform.squashed(image, (left, top, left + width, top + height))
    return pixels[:, ::-1] if generator.random() < 0.5 else pixels


RECIPES: dict[str, Augmentation] = {
    "crop_flip": _crop_flip,
    "crop_a": _crop_a,
    "rotate_flip_b": _rotate_flip_b,
}
