"""What a user of the library holds: a trained model that embeds, classifies and searches.

Shape letters: N items, D embedding.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.core.block import Block
from pipeline.core.errors import BadRowError, InputError
from pipeline.core.location import Location, RemotePath, locate
from pipeline.core.text import normalize_text
from pipeline.decide.settings import Rule
from pipeline.features.class_tree import ClassTree
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.hit import Hit
from pipeline.index.hybrid import Mode
from pipeline.index.nearness import Nearness
from pipeline.index.stored_index import load_index
from pipeline.model.description import ModelDescription, read_description
from pipeline.use.embeddings import Embeddings, Features, class_probabilities, embed_features
from pipeline.use.filing import Filing
from pipeline.use.known_classes import KnownClasses
from pipeline.use.network import TowersNetwork, load_network
from pipeline.use.prediction import Prediction, make_predictions
from pipeline.use.raw_features import RawFeatures
from pipeline.use.surroundings import Surroundings

Picture = Location | str | Image.Image


class Huse:
    """A trained model with the catalogue that can be searched.

    >>> model = Huse.load("data/model")
    >>> v = model.embed(images=["cat.jpg"], texts=["sad cat"])
    >>> model.search(v, k=10)
    """

    def __init__(self, description: ModelDescription, features: RawFeatures, index: Path) -> None:
        """Put a model together; use `load`.

        Args:
            description: What the trained model is.
            features: What makes its features.
            index: Folder of the index; read when it is first searched.
        """
        self.description = description
        self._features = features
        self._index_folder = index

    @classmethod
    def load(
        cls,
        folder: str | Path,
        index: str | Path | None = None,
        *,
        warn: Callable[[str], None] = warnings.warn,
    ) -> Huse:
        """Read a trained model.

        Args:
            folder: Folder of the model, for example `data/model`.
            index: Folder of the index that `search` needs; `index` beside the model if not given.
            warn: Takes one line of what is no error, such as other versions of packages.

        Returns:
            The model, ready for use.

        Raises:
            InputError: A file is missing, damaged, or of a newer format.
        """
        folder = Path(folder)
        try:
            description = read_description(folder)
        except InputError as error:
            # The line says it all; a traceback of two errors hides it.
            raise InputError(str(error)) from None
        place = folder.parent / "index" if index is None else Path(index)
        return cls(description, RawFeatures(folder, description.recipe, warn), place)

    @cached_property
    def _network(self) -> TowersNetwork:
        features = self._features
        return load_network(features.folder, self.description, features.warn)

    @cached_property
    def index(self) -> CatalogIndex:
        """The searchable catalogue.

        Raises:
            InputError: It is missing or damaged, or another model made it.
        """
        features = self._features
        return load_index(self._index_folder, model=features.folder, warn=features.warn)

    @cached_property
    def known(self) -> KnownClasses:
        """The classes that the model knows: the trained ones and those that were added."""
        return KnownClasses(self._features.folder, self.description, self._features.warn)

    @property
    def class_tree(self) -> ClassTree:
        """The classes that the model knows, added ones last, and all beginnings of their paths."""
        return self.known.tree

    @cached_property
    def filing(self) -> Filing:
        """How certain an answer must be to be filed unattended."""
        return Filing(self._features.folder, self.description.digest, self._features.warn)

    def embed(
        self,
        images: Sequence[Picture | None] | None = None,
        texts: Sequence[str | None] | None = None,
    ) -> Embeddings:
        """Embed N items, each from its picture, its text or both.

        Args:
            images: N files or URIs or Pillow images, None for an item without; or nothing at all.
            texts: N texts as a person writes them, None for an item without; or nothing at all.

        Returns:
            `image_ND`, `text_ND` and `fused_ND`, each [N, D] float32 of unit norm.

        Raises:
            InputError: A picture cannot be read, or a text is empty.
            ValueError: The lists differ in length, or an item has neither.
        """
        images, texts = _pair(images, texts)
        pictures = [locate(one, "images") if isinstance(one, str) else one for one in images]
        features, reasons = self.read_features(pictures, texts)
        for number, reason in enumerate(reasons):
            if reason:
                raise InputError(f"item {number}: {reason}")
        return self.embed_features(features)

    def embed_features(self, features: Features) -> Embeddings:
        """Embed items from `read_features`."""
        return embed_features(self._network, self.description.dimension, features)

    def read_features(
        self, images: Sequence[Location | Image.Image | None], texts: Sequence[str | None]
    ) -> tuple[Features, list[str]]:
        """Make the features of the items that can be used, and say of the others why not.

        Args:
            images: N files or Pillow images, or None.
            texts: N texts, or None.

        Returns:
            The features of the usable items, in their order, and N reasons, empty for those.
        """
        clean, reasons = _check_texts(images, texts)
        written = [n for n, text in enumerate(clean) if text is not None and not reasons[n]]
        text_MF, why = self._text_features([text for n in written if (text := clean[n])])
        for n, reason in zip(written, why, strict=True):
            reasons[n] = reason or ""
        shown = [n for n, image in enumerate(images) if image is not None and not reasons[n]]
        vector_PI, why = self._features.images(
            [image for n in shown if (image := images[n]) is not None]
        )
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

    def _text_features(self, texts: Sequence[str]) -> tuple[Block, list[str | None]]:
        if texts:
            return self._features.texts(texts)
        # A search by a picture need not wait for the text encoders.
        return np.zeros((0, int(self.description.config["text_features"])), np.float32), []

    def near(self, v: Features) -> list[Nearness]:
        """Tell whether anything in the catalogue is near to items.

        Args:
            v: N items from `embed` or `read_features`.

        Returns:
            N judgements by the frozen features, to those of the items and, for a text, of class
            names; by both parts together, see `decide`. `near` is None where nobody can tell: there
            is no index of this model, or there were too few validation items.

        Raises:
            InputError: The index is damaged.
        """
        return self._surroundings.judge(v)

    @cached_property
    def _surroundings(self) -> Surroundings:
        return Surroundings(self._features, self._index_folder, self.known)

    def classify(
        self,
        v: Features,
        k: int = 5,
        *,
        precision: float = 0.95,
        confidence: float = 0.95,
        decide: Rule = "probable",
        beta: float = 1.0,
    ) -> list[Prediction]:
        """Predict the classes of N items, and which of these may be filed unattended.

        Classes that were added are among them, but nothing is filed as one, as no validation item
        speaks for it; what is filed is by the probabilities of the trained classes alone.

        Args:
            v: N items from `embed` or `read_features`.
            k: How many of the most probable classes to name per item.
            precision: Share of the filed items that shall be filed rightly, in (0, 1).
            confidence: Probability, in (0, 1), that this holds; see `fit_thresholds`.
            decide: Which node an item is given whatever its precision; see `pipeline.decide.rules`.
            beta: Of rule `hf_beta`.

        Raises:
            InputError: What the model kept of its validation items is damaged.
            ValueError: A share or `k` is out of range.
        """
        if k < 1:
            raise ValueError(f"k of at least 1, not {k}")
        trained_NK = class_probabilities(self._network, self.description, v)
        fitted = self.filing.of_items(v.has_image, v.has_text, precision, confidence)
        probability_NK = self.known.share(trained_NK, partial(self.embed_features, v))
        return make_predictions(
            self.class_tree,
            probability_NK,
            fitted,
            k=k,
            rule=decide,
            beta=beta,
            trained=(self.known.trained_tree, trained_NK) if self.known.added else None,
        )

    def search(
        self,
        v: Embeddings | np.ndarray,
        k: int = 10,
        within: str | None = None,
        mode: Mode | None = None,
        where: str | None = None,
    ) -> list[list[Hit]]:
        """Find the items of the catalogue that are nearest to points of the space.

        Args:
            v: N items from `embed`, whose fused embeddings and texts are taken, or [N, D] vectors.
            k: How many items to find per query.
            within: First parts of a class path, each in full, such as `Animals & Nature`.
            mode: What a text is searched by: `hybrid`, its embedding and its words; `dense`, the
                embedding alone; `words`, words alone. `index.words.mode` if not given.
            where: What has to be true of an item's attributes, `price < 50 and brand == 'Nike'`.

        Returns:
            N lists of up to `k` hits, the best first.

        Raises:
            InputError: There is no usable index, or no item is of that class or as `where` says.
        """
        if not isinstance(v, Embeddings):
            return self.index.search(v, k, within, where=where)
        return self.index.search(v.fused_ND, k, within, v.texts or None, mode, where)


def _pair(
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
    images: Sequence[Location | Image.Image | None], texts: Sequence[str | None]
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
