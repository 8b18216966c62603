"""The classes that a trained model knows: those of its training, and those that were added.

Shape letters: N items, K trained classes, C all classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.once import once
from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import class_name
from pipeline.model.description import ModelDescription
from pipeline.model.new_class import NewClassRule, log_odds, with_new_classes
from pipeline.model.new_class_file import read_new_class_rule
from pipeline.use.added_file import AddedClass, added_path, read_added
from pipeline.use.embeddings import Embeddings


class KnownClasses:
    """Classes of one model; read when they are asked for."""

    def __init__(
        self, folder: Path, description: ModelDescription, warn: Callable[[str], None]
    ) -> None:
        """Read nothing yet.

        Args:
            folder: Of the model.
            description: Of the model.
            warn: Takes one line if there are classes of another model, as after a new training.
        """
        self.folder = folder
        self._description, self._warn = description, warn

    @once
    def added(self) -> list[AddedClass]:
        """Classes that were added to this very model.

        Raises:
            InputError: Their file is damaged.
        """
        return usable_classes(self.folder, self._description.digest, self._warn)

    @once
    def classes(self) -> Mapping[str, Any]:
        """Content of a classes.json: the trained classes, then the added ones."""
        return with_added(self._description.classes, self.added)

    @once
    def tree(self) -> ClassTree:
        """Of all classes."""
        return ClassTree(self.classes)

    @once
    def trained_tree(self) -> ClassTree:
        """Of the trained classes: its nodes are the first of `tree`."""
        return ClassTree(self._description.classes) if self.added else self.tree

    @once
    def likely(self) -> dict[str, list[str]]:
        """Ids of the catalogue's items that an added class is most probable of, by its path."""
        best: dict[str, tuple[float, str]] = {}
        for one in self.added:
            for item_id, odds in one.likely.items():
                if item_id not in best or odds > best[item_id][0]:
                    best[item_id] = (odds, one.path)
        found: dict[str, list[str]] = {one.path: [] for one in self.added}
        for item_id, (_, path) in best.items():
            found[path].append(item_id)
        return found

    @once
    def rule(self) -> NewClassRule:
        """How an added class is told from the trained ones.

        Raises:
            InputError: The model is of a version to which none can be added, or its file is
                damaged.
        """
        return read_new_class_rule(self.folder, self._description.digest)

    def share(self, probability_NK: np.ndarray, embed: Callable[[], Embeddings]) -> np.ndarray:
        """Give added classes their part of the probability: [N, C] float32, rows that sum to 1.

        Args:
            probability_NK: [N, K] of the trained classes; returned as it is where none was added.
            embed: Gives the N items' embeddings, which nothing else needs.
        """
        if not self.added:
            return probability_NK
        points = embed()
        places = [one.place for one in self.added]
        odds_NA = log_odds(self.rule, places, points.image_ND, points.text_ND, probability_NK)
        return with_new_classes(probability_NK, odds_NA)


def usable_classes(model: Path, digest: str, warn: Callable[[str], None]) -> list[AddedClass]:
    """Read the classes that were added to this very model.

    Args:
        model: Folder of the model.
        digest: Of its weights.
        warn: Takes one line if there are classes of another model, as after a new training.

    Raises:
        InputError: Their file is damaged.
    """
    found = read_added(added_path(model))
    usable = [one for one in found if one.digest == digest]
    if others := [one for one in found if one.digest != digest]:
        count = "1 class was" if len(others) == 1 else f"{len(others)} classes were"
        warn(
            f"{added_path(model)}: {count} added to another model than {model} and left out; add "
            f"again: {'; '.join(one.again for one in others)}"
        )
    return usable


def with_added(classes: Mapping[str, Any], added: Sequence[AddedClass]) -> Mapping[str, Any]:
    """Put added classes behind those of a model: the content of a classes.json for a tree."""
    separator, label = classes["separator"], classes["label"]
    entries = [
        {
            "name": class_name(one.path, separator, label),
            "parts": one.path.split(separator),
            "count": 0,
            "labels": [],
        }
        for one in added
    ]
    key = "paths" if "paths" in classes else "classes"
    return {**classes, key: [*classes[key], *entries]}
