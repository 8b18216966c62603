"""The pictures of new items -> a vector per item, as the catalogue's items have them.

Shape letters: P items with pictures, I image feature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from pipeline.core.location import Location
from pipeline.image_features.pool import pool
from pipeline.pictures.file import PictureBytes

Shown = Location | PictureBytes | Image.Image
"""A file, in memory too, or what Pillow has opened."""


class LeftOut(NamedTuple):
    """A picture that cannot be used, of an item that has others."""

    item: int
    place: int
    """Among the item's pictures."""
    picture: str
    reason: str

    def __str__(self) -> str:
        return f"{self.picture}: {self.reason}; the item's other pictures are used"


class Pooled(NamedTuple):
    """What the pictures of P items come to."""

    vector_PI: np.ndarray
    """[P, I] float32; NaN where none of an item's pictures can be used."""
    reasons: list[str]
    """P: why that is so of the first of them, else empty."""
    left_out: list[LeftOut]


def pool_pictures(
    encode: Callable[[Sequence[Shown]], tuple[np.ndarray, list[str | None]]],
    pictures: Sequence[Sequence[Shown]],
) -> Pooled:
    """Encode the pictures of items, each once, and pool those of an item that has several.

    Args:
        encode: Gives [N, I] vectors of N pictures, and N reasons, None where one can be used.
        pictures: Of P items, each of at least one.
    """
    place_of: dict[int, int] = {}
    distinct: list[Shown] = []
    places: list[list[int]] = []
    files: dict[str, int] = {}
    for of_item in pictures:
        places.append([])
        for picture in of_item:
            # What is in memory has no name that two of them could share.
            if isinstance(picture, (PictureBytes, Image.Image)):
                place = place_of.setdefault(id(picture), len(distinct))
            else:
                place = files.setdefault(str(picture), len(distinct))
            if place == len(distinct):
                distinct.append(picture)
            places[-1].append(place)
    vector_NI, why = encode(distinct)
    vector_PI = np.full((len(pictures), vector_NI.shape[1]), np.nan, np.float32)
    pooled = Pooled(vector_PI, [""] * len(pictures), [])
    for item, of_item_places in enumerate(places):
        good = [place for place in of_item_places if not why[place]]
        if not good:
            first = of_item_places[0]
            pooled.reasons[item] = f"{distinct[first]}: {why[first]}"
            continue
        pooled.left_out.extend(
            LeftOut(item, at, str(distinct[place]), reason)
            for at, place in enumerate(of_item_places)
            if (reason := why[place])
        )
        # The same content counts once, as in the catalogue.
        once = {vector_NI[place].tobytes(): vector_NI[place] for place in good}
        vectors = list(once.values())
        vector_PI[item] = vectors[0] if len(vectors) == 1 else pool(np.stack(vectors))
    return pooled
