"""What items are given as, and what the frozen encoders see of it.

Shape letters: N items, P items with a picture, M items with a text, I image feature, F text
features with the sparse part.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.core.block import Block
from pipeline.core.errors import BadRowError
from pipeline.core.location import Location, RemotePath
from pipeline.core.text import normalize_text
from pipeline.model.description import ModelDescription
from pipeline.pictures.file import PictureBytes
from pipeline.use.embeddings import Features
from pipeline.use.raw_features import RawFeatures

Picture = Location | str | Image.Image
"""A file, a URI, or what Pillow has opened."""


def read_items(
    raw: RawFeatures,
    description: ModelDescription,
    images: Sequence[Location | PictureBytes | Image.Image | None],
    texts: Sequence[str | None],
) -> tuple[Features, list[str]]:
    """Make the features of the items that can be used, and say of the others why not.

    Args:
        raw: What makes them.
        description: Of the model that they are for.
        images: N files, in memory too (`PictureBytes`), or Pillow images, or None.
        texts: N texts, or None.

    Returns:
        The features of the usable items, in their order, and N reasons, empty for those.
    """
    clean, reasons = _check_texts(images, texts)
    written = [n for n, text in enumerate(clean) if text is not None and not reasons[n]]
    text_MF, why = _text_features(raw, description, [text for n in written if (text := clean[n])])
    for n, reason in zip(written, why, strict=True):
        reasons[n] = reason or ""
    shown = [n for n, image in enumerate(images) if image is not None and not reasons[n]]
    vector_PI, why = raw.images([image for n in shown if (image := images[n]) is not None])
    for n, reason in zip(shown, why, strict=True):
        reasons[n] = f"{images[n]}: {reason}" if reason else ""
    good = [n for n, reason in enumerate(reasons) if not reason]
    features = Features(
        vector_PI[np.array([not reason for reason in why], dtype=bool)],
        np.array([images[n] is not None for n in good], dtype=bool),
        text_MF[np.array([not reasons[n] for n in written], dtype=bool)],
        np.array([clean[n] is not None for n in good], dtype=bool),
        [clean[n] for n in good],
    )
    return features, reasons


def _text_features(
    raw: RawFeatures, description: ModelDescription, texts: Sequence[str]
) -> tuple[Block, list[str | None]]:
    if texts:
        return raw.texts(texts)
    # A search by a picture need not wait for the text encoders.
    return np.zeros((0, int(description.config["text_features"])), np.float32), []


def pair(
    images: Sequence[Picture | None] | None, texts: Sequence[str | None] | None
) -> tuple[Sequence[Picture | None], Sequence[str | None]]:
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


def _check_texts(
    images: Sequence[Location | PictureBytes | Image.Image | None], texts: Sequence[str | None]
) -> tuple[list[str | None], list[str]]:
    """Texts as the catalogue stage normalises them, and why an item cannot be used."""
    clean: list[str | None] = []
    reasons: list[str] = []
    for image, text in zip(images, texts, strict=True):
        reason = "no image and no text" if image is None and text is None else ""
        try:
            clean.append(None if text is None else normalize_text(text))
        except BadRowError as error:
            clean.append(None)
            reason = str(error)
        reasons.append(reason)
    return clean, reasons
