"""What a user of the library holds: a trained model that embeds, classifies and searches.

Shape letters: N items, D embedding, C classes, added ones included.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.core.once import once
from pipeline.decide.settings import Rule
from pipeline.features.class_tree import ClassTree
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.hit import Hit
from pipeline.index.hybrid import Mode
from pipeline.index.nearness import Nearness
from pipeline.index.stored_index import load_index
from pipeline.model.description import ModelDescription, read_description
from pipeline.use.attribute_values import AttributeValues, ValueGuess
from pipeline.use.embeddings import Embeddings, Features, class_probabilities, embed_features
from pipeline.use.filing import Filing
from pipeline.use.hub import HubModel
from pipeline.use.known_classes import KnownClasses
from pipeline.use.network import TowersNetwork, load_network
from pipeline.use.pooled_pictures import LeftOut, Shown
from pipeline.use.prediction import Prediction, make_predictions
from pipeline.use.raw_features import RawFeatures
from pipeline.use.read_items import Picture, Pictures, located, pair, read_items
from pipeline.use.surroundings import Surroundings


class Huse(HubModel):
    """A trained model with the catalogue that can be searched.

    >>> model = Huse.load("data/model")
    >>> v = model.embed(images=["cat.jpg"], texts=["sad cat"])
    >>> model.search(v, k=10)

    Several threads may use one model, and get what one alone would: what it needs is read when it
    is first asked for, once.
    """

    def __init__(self, description: ModelDescription, features: RawFeatures, index: Path) -> None:
        """Put a model together; use `load`.

        Args:
            description: What the trained model is.
            features: What makes its features.
            index: Folder of the index; read when it is first searched.
        """
        self.description = description
        self.folder, self.index_folder = features.folder, index
        self._features = features

    @classmethod
    def load(
        cls,
        folder: str | Path,
        index: str | Path | None = None,
        *,
        warn: Callable[[str], None] = warnings.warn,
    ) -> Self:
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
            raise InputError(*error.args) from None
        place = folder.parent / "index" if index is None else Path(index)
        return cls(description, RawFeatures(folder, description.recipe, warn), place)

    @once
    def _network(self) -> TowersNetwork:
        return load_network(self.folder, self.description, self._features.warn)

    @once
    def index(self) -> CatalogIndex:
        """The searchable catalogue.

        Raises:
            InputError: It is missing or damaged, or another model made it.
        """
        found = load_index(self.index_folder, model=self.folder, warn=self._features.warn)
        return found.beside(self.known.likely) if self.known.added else found

    @once
    def known(self) -> KnownClasses:
        """The classes that the model knows: the trained ones and those that were added."""
        return KnownClasses(self.folder, self.description, self._features.warn)

    @once
    def attribute_values(self) -> AttributeValues:
        """What predicts attributes of new items, beside the model."""
        return AttributeValues(self.folder, self.description.recipe, self._features.warn)

    @property
    def class_tree(self) -> ClassTree:
        """The classes that the model knows, added ones last, and all beginnings of their paths."""
        return self.known.tree

    @once
    def filing(self) -> Filing:
        """How certain an answer must be to be filed unattended."""
        return Filing(self.folder, self.description.digest, self._features.warn)

    def embed(
        self,
        images: Sequence[Pictures | None] | None = None,
        texts: Sequence[str | None] | None = None,
    ) -> Embeddings:
        """Embed N items, each from its picture, its text or both.

        Args:
            images: N files or URIs or Pillow images, None for an item without, a list of these for
                one that has several; or nothing at all.
            texts: N texts as a person writes them, None for an item without; or nothing at all.

        Returns:
            `image_ND`, `text_ND` and `fused_ND`, each [N, D] float32 of unit norm.

        Raises:
            InputError: A picture cannot be read, or a text is empty.
            ValueError: The lists differ in length, or hold something else.
        """
        return self.embed_features(self._usable(images, texts))

    def _usable(
        self, images: Sequence[Pictures | None] | None, texts: Sequence[str | None] | None
    ) -> Features:
        """Make the features of items that all have to be usable; see `embed`."""
        images, texts = pair(images, texts)
        features, reasons = self.read_features(images, texts)
        for number, reason in enumerate(reasons):
            if reason:
                raise InputError(f"item {number}: {reason}")
        return features

    def encode_image(self, images: Sequence[Picture]) -> NDArray[np.float32]:
        """Embed N pictures: [N, D] float32, rows of unit norm; see `embed`."""
        return self.embed(images=images).image_ND

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed N texts: [N, D] float32, rows of unit norm; see `embed`."""
        return self.embed(texts=texts).text_ND

    def embed_features(self, features: Features) -> Embeddings:
        """Embed items from `read_features`."""
        return embed_features(self._network, self.description.dimension, features)

    def read_features(
        self,
        images: Sequence[Pictures | Shown | Sequence[Shown] | None],
        texts: Sequence[str | None],
        leave_out: Callable[[LeftOut], None] | None = None,
    ) -> tuple[Features, list[str]]:
        """Make the features of the items that can be used, and say of the others why not.

        Pictures are given as to `embed`; see `read_items`.
        """
        shown = [located(one) for one in images]
        return read_items(self._features, self.description, shown, texts, leave_out)

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

    @once
    def _surroundings(self) -> Surroundings:
        return Surroundings(self._features, self.index_folder, self.known)

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

        Their attributes are said too, see `predict_attributes`.

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
            InputError: What the model kept of its validation items is damaged, or its heads are.
            ValueError: A share or `k` is out of range.
        """
        if k < 1:
            raise ValueError(f"k of at least 1, not {k}")
        trained_NK, probability_NC = self._probabilities(v)
        found = make_predictions(
            self.class_tree,
            probability_NC,
            self.filing.of_items(v.has_image, v.has_text, precision, confidence),
            k=k,
            rule=decide,
            beta=beta,
            trained=(self.known.trained_tree, trained_NK) if self.known.added else None,
        )
        values = self.predict_attributes(v)
        return [replace(one, attributes=said) for one, said in zip(found, values, strict=True)]

    def predict_attributes(self, v: Features) -> list[dict[str, ValueGuess]]:
        """Name the most probable values of what `attributes.predict` names, by its names.

        For N items from `embed` or `read_features`; empty where no heads were fitted. Raises
        InputError if the files of the heads are damaged.
        """
        return self.attribute_values.predict(v)

    def _probabilities(self, v: Features) -> tuple[np.ndarray, np.ndarray]:
        """[N, K] of the trained classes alone, and [N, C] with what added ones take of it."""
        trained_NK = class_probabilities(self._network, self.description, v)
        return trained_NK, self.known.share(trained_NK, partial(self.embed_features, v))

    @property
    def classes_(self) -> NDArray[np.str_]:
        """[C] class paths in the order of `predict_proba`'s columns, added ones last."""
        tree = self.class_tree
        return np.array(tree.path_J)[tree.class_node_K]

    def predict_proba(
        self,
        images: Sequence[Pictures | None] | None = None,
        texts: Sequence[str | None] | None = None,
    ) -> NDArray[np.float32]:
        """Tell how probable each class is for N items: [N, C] float32, rows that sum to 1.

        The probabilities are calibrated. Items are given, and refused, as by `embed`.
        """
        return self._probabilities(self._usable(images, texts))[1]

    def predict(
        self,
        images: Sequence[Pictures | None] | None = None,
        texts: Sequence[str | None] | None = None,
    ) -> NDArray[np.str_]:
        """Name the most probable class of N items: [N] of `classes_`; see `predict_proba`."""
        return self.classes_[self.predict_proba(images, texts).argmax(axis=1)]

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
            within: First parts of a class path, each in full, such as `Animals & Nature`. Of a
                class that was added after the training, what is filed there is found and what it
                was the most probable class of when it was added; see `Hit.likely_path`.
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
