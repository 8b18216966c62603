"""Whether new items are near to anything that is known.

That is the catalogue's items, those that were added to the index, the names of classes, and the
examples of classes that were added.

Shape letters: N items, E examples with a picture, I image feature, F features of a modality.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np

from pipeline.core.block import Block
from pipeline.core.once import once
from pipeline.features.classes import item_classes
from pipeline.index.changes import Changes, read_steadily
from pipeline.index.nearness import Nearness, decide
from pipeline.index.references import References, load_references, unit_rows
from pipeline.index.stored_index import model_digest
from pipeline.use.embeddings import Features
from pipeline.use.known_classes import KnownClasses
from pipeline.use.raw_features import RawFeatures


class Surroundings:
    """What queries are compared with; read when it is first needed."""

    def __init__(self, features: RawFeatures, index: Path, known: KnownClasses) -> None:
        """Read nothing yet.

        Args:
            features: Of the model.
            index: Folder of the index.
            known: Classes that the model knows.
        """
        self._features, self._index, self._known = features, index, known
        self._references: dict[str, References | None] = {}
        self._of_added: dict[str, list[Block]] = {}
        self._reading = Lock()

    def judge(self, v: Features) -> list[Nearness]:
        """Judge N items by what each has; see `Huse.near`.

        Raises:
            InputError: The index is damaged.
        """
        parts: list[list[Nearness]] = [[] for _ in range(len(v))]
        for modality, has_N, feature in (
            ("image", v.has_image, v.image_PI),
            ("text", v.has_text, v.text_MF),
        ):
            for n, found in zip(np.flatnonzero(has_N), self._judge(modality, feature), strict=True):
                parts[n].append(found)
        return [decide(found) for found in parts]

    def _judge(self, modality: str, feature_NF: Block) -> list[Nearness]:
        if not feature_NF.shape[0]:  # a search by text need not read the features of pictures
            return []
        with self._reading:
            if modality not in self._references:
                self._references[modality] = load_references(
                    self._index, modality, model=self._features.folder
                )
        references = self._references[modality]
        added = self._added(modality)
        if references is None:
            return [Nearness(None, None, None, None, modality)] * feature_NF.shape[0]
        found = references.judge(feature_NF, modality)
        far = [n for n, one in enumerate(found) if one.near is False and one.distance is not None]
        if not far:
            return found
        known = self._pictures if modality == "image" else self._texts
        for feature_RF in (known, *added):
            if not feature_RF.shape[0]:
                continue
            beside = replace(references, unit_RF=unit_rows(feature_RF[:, references.columns]))
            for n, other in zip(far, beside.judge(feature_NF[far], modality), strict=True):
                found[n] = min(found[n], other, key=lambda one: one.distance or 0.0)
        return found

    def _added(self, modality: str) -> list[Block]:
        """Features of items that were added to the index for this model."""

        def read(changes: Changes) -> list[Block]:
            ours = changes.model == model_digest(self._features.folder)
            return [block for _, block in changes.features(modality)] if ours else []

        with self._reading:
            if modality not in self._of_added:
                self._of_added[modality] = read_steadily(self._index, read) or []
        return self._of_added[modality]

    @once
    def _texts(self) -> Block:
        """Features of the names of all parts of the class tree, and of added classes' examples.

        A short text may be far from every title and still be what a class is called.
        """
        entries = item_classes(self._known.classes)
        parts = {part for entry in entries for part in entry["parts"]}
        examples = {text for one in self._known.added for text in one.texts}
        return self._features.texts(sorted(parts | examples))[0]

    @once
    def _pictures(self) -> np.ndarray:
        """[E, I] features of added classes' examples."""
        none_EI = np.zeros((0, int(self._features.recipe["image"]["dimension"])), np.float32)
        return np.concatenate([none_EI, *(one.picture_EI for one in self._known.added)])
