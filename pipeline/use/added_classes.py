"""Add classes to a trained model, from a few examples or by their names, and remove them.

Shape letters: M examples, D embedding, E examples with a picture, I image feature.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.errors import BadRowError, InputError
from pipeline.features.class_path import normalize_class_path
from pipeline.features.classes import class_name, item_classes
from pipeline.model.new_class import Place, place_of_name, prototype
from pipeline.use.added_file import AddedClass, added_path, read_added, write_added
from pipeline.use.likely_items import find_likely

if TYPE_CHECKING:
    from pipeline.use.api import Huse
    from pipeline.use.embeddings import Features


def add_class(
    model: Huse,
    path: str,
    examples: Iterable[Features],
    again: str,
    embeddings: Path | None = None,
) -> AddedClass:
    """Add a class to a model's file of added classes; it counts when the model is loaded again.

    Args:
        model: The trained model.
        path: Class path of the new class.
        examples: Items of it, perhaps none: its name alone then tells what it is.
        again: Command that adds it to another model.
        embeddings: embeddings.parquet of this model, to find the items of the catalogue that are
            probably of the class; none is looked for if not given.

    Returns:
        What was added.

    Raises:
        InputError: The path is none, or a class of the tree already; there are no examples and no
            word of the name is known; the model is of a version that no class can be added to.
    """
    path = new_path(model, path)
    rule = model.known.rule
    pictures, points = [], []
    texts: list[str] = []
    for features in examples:
        pictures.append(features.image_PI)
        texts += [text for text in features.texts if text]
        found = model.embed_features(features)
        points.append((found.image_ND, found.text_ND))
    name_D = _embed_name(model, path)
    nothing_ND = np.zeros((0, model.description.dimension), np.float32)
    seen = []
    for parts in zip(*points, strict=True) if points else ((), ()):
        point_ND = np.concatenate([nothing_ND, *parts])
        seen.append(point_ND[~np.isnan(point_ND[:, 0])])
    around = [
        place_of_name(name_D, rule.name_KD, mean_KD)
        if name_D is not None and not len(point_MD)
        else prototype(point_MD, name_D)
        for point_MD, mean_KD in zip(seen, (rule.image_KD, rule.text_KD), strict=True)
    ]
    # The space is shared: what is known of texts stands for pictures, and the other way round.
    image_D, text_D = (
        one if one is not None else other for one, other in zip(around, around[::-1], strict=True)
    )
    if image_D is None or text_D is None:
        raise InputError(f"{path}: no word of the name is known; give --examples")
    none_EI = np.zeros((0, int(model.description.config["image_features"])), np.float32)
    around_it = Place(image_D, text_D, len(seen[0]), len(seen[1]))
    added = AddedClass(
        path,
        around_it,
        np.concatenate([none_EI, *pictures]).astype(np.float32),
        texts,
        model.description.digest,
        again,
        {} if embeddings is None else find_likely(embeddings, rule, around_it),
    )
    place = added_path(model.known.folder)
    kept = [one for one in read_added(place) if one.path != path]
    write_added(place, [*kept, added])
    return added


def new_path(model: Huse, path: str) -> str:
    """Check the path of a class that shall be added, and write it as the catalogue does.

    Raises:
        InputError: It is none, or in the tree already.
    """
    classes = model.description.classes
    try:
        path = normalize_class_path(path, classes["separator"])
    except BadRowError as error:
        raise InputError(f"{path!r}: {error}; give a class path") from error
    if path in {one.path for one in model.known.added}:
        raise InputError(f"{path}: was added already; --remove it first")
    names = {entry["name"] for entry in item_classes(classes)}
    if (
        path in model.class_tree.path_J
        or class_name(path, classes["separator"], classes["label"]) in names
    ):
        raise InputError(f"{path}: is in the class tree already; give the path of a new class")
    return path


def unknown_parent(model: Huse, path: str) -> str | None:
    """One line if no class is below what stands above a new class: perhaps a slip."""
    separator = model.description.classes["separator"]
    *above, _ = path.split(separator)
    parent = separator.join(above)
    if parent in model.class_tree.path_J:
        return None
    near = get_close_matches(parent, model.class_tree.path_J[1:], 1)
    hint = f"; perhaps {near[0]} is meant" if near else ""
    return f"{path}: no other class is below {parent}{hint}"


def remove_class(model: Path, path: str) -> None:
    """Remove a class that was added, to whatever model.

    Raises:
        InputError: There is none of that path.
    """
    place = added_path(model)
    found = read_added(place)
    kept = [one for one in found if one.path != path]
    if len(kept) == len(found):
        known = ", ".join(one.path for one in found)
        raise InputError(
            f"--remove {path}: no such class was added; there "
            + (f"are: {known}" if known else "is none")
        )
    write_added(place, kept)


def _embed_name(model: Huse, path: str) -> np.ndarray | None:
    """[D] text embedding of the name as training has the names; None if no word is known."""
    classes = model.description.classes
    name = class_name(path, classes["separator"], classes["label"])
    features, (reason,) = model.read_features([None], [name])
    if reason or not abs(features.text_MF).sum():
        return None
    return model.embed_features(features).text_ND[0]
