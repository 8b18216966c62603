"""What items are given as, and what the frozen encoders see of it.

Shape letters: N items, P items with a picture, M items with a text, I image feature, F text
features with the sparse part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.core.block import Block
from pipeline.core.errors import BadRowError
from pipeline.core.location import Location, RemotePath, locate
from pipeline.core.text import normalize_text
from pipeline.model.description import ModelDescription
from pipeline.use.embeddings import Features
from pipeline.use.pooled_pictures import LeftOut, Shown, pool_pictures
from pipeline.use.raw_features import RawFeatures

Picture = Location | str | Image.Image
"""A file, a URI, or what Pillow has opened."""
Pictures = Picture | Sequence[Picture]
"""Of one item, one or several."""


def read_items(
    raw: RawFeatures,
    description: ModelDescription,
    images: Sequence[Shown | Sequence[Shown] | None],
    texts: Sequence[str | None],
    leave_out: Callable[[LeftOut], None] | None = None,
) -> tuple[Features, list[str]]:
    """Make the features of the items that can be used, and say of the others why not.

    Args:
        raw: What makes them.
        description: Of the model that they are for.
        images: N files, in memory too (`PictureBytes`), or Pillow images, or None; a list of these
            where an item has several, which are pooled as the catalogue's are.
        texts: N texts, or None.
        leave_out: Takes pictures that cannot be used of items that have others; if not given, the
            user is warned of each.

    Returns:
        The features of the usable items, in their order, and N reasons, empty for those.
    """
    pictures = [_listed(image) for image in images]
    clean, reasons = _check_texts(pictures, texts)
    written = [n for n, text in enumerate(clean) if text is not None and not reasons[n]]
    text_MF, why = _text_features(raw, description, [text for n in written if (text := clean[n])])
    for n, reason in zip(written, why, strict=True):
        reasons[n] = reason or ""
    shown = [n for n, of_item in enumerate(pictures) if of_item and not reasons[n]]
    pooled = pool_pictures(raw.images, [pictures[n] for n in shown])
    for n, reason in zip(shown, pooled.reasons, strict=True):
        reasons[n] = reason
    for one in pooled.left_out:
        found = one._replace(item=shown[one.item])
        if leave_out is None:
            raw.warn(f"item {found.item}: {found}")
        else:
            leave_out(found)
    good = [n for n, reason in enumerate(reasons) if not reason]
    features = Features(
        pooled.vector_PI[np.array([not reason for reason in pooled.reasons], dtype=bool)],
        np.array([bool(pictures[n]) for n in good], dtype=bool),
        text_MF[np.array([not reasons[n] for n in written], dtype=bool)],
        np.array([clean[n] is not None for n in good], dtype=bool),
        [clean[n] for n in good],
    )
    return features, reasons


def _listed(image: Shown | Sequence[Shown] | None) -> Sequence[Shown]:
    """The pictures of an item."""
    if image is None:
        return []
    return image if isinstance(image, Sequence) else [image]


def _text_features(
    raw: RawFeatures, description: ModelDescription, texts: Sequence[str]
) -> tuple[Block, list[str | None]]:
    if texts:
        return raw.texts(texts)
    # A search by a picture need not wait for the text encoders.
    return np.zeros((0, int(description.config["text_features"])), np.float32), []


def pair(
    images: Sequence[Pictures | None] | None, texts: Sequence[str | None] | None
) -> tuple[Sequence[Pictures | None], Sequence[str | None]]:
    """Fill up what was not given; a single string in place of a list is a slip."""
    for name, given in (("images", images), ("texts", texts)):
        if isinstance(given, (str, Path, RemotePath, Image.Image)):
            raise ValueError(f"{name}: give a list, if only of one")
    if images is None and texts is None:
        raise ValueError("give images, texts or both")
    images = [None] * len(texts or ()) if images is None else images
    texts = [None] * len(images) if texts is None else texts
    if len(images) != len(texts):
        raise ValueError(f"{len(images)} images and {len(texts)} texts; give None where one lacks")
    return images, texts


def located(image: Pictures | None) -> Shown | list[Shown] | None:
    """Turn the names of files and URIs into places.

    Raises:
        InputError: A URI cannot be used.
    """
    if isinstance(image, str):
        return locate(image, "images")
    if image is None or not isinstance(image, Sequence):
        return image
    return [locate(one, "images") if isinstance(one, str) else one for one in image]


def _check_texts(
    pictures: Sequence[Sequence[Shown]], texts: Sequence[str | None]
) -> tuple[list[str | None], list[str]]:
    """Texts as the catalogue stage normalises them, and why an item cannot be used."""
    clean: list[str | None] = []
    reasons: list[str] = []
    for of_item, text in zip(pictures, texts, strict=True):
        reason = "no image and no text" if not of_item and text is None else ""
        try:
            clean.append(None if text is None else normalize_text(text))
        except BadRowError as error:
            clean.append(None)
            reason = str(error)
        reasons.append(reason)
    return clean, reasons
