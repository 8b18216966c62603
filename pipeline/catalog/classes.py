"""Classes of a catalogue: what the classifier tells apart and the hierarchy is made of.

Shape letters: N items, K classes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Literal, TypedDict

import numpy as np

from pipeline.errors import InputError

Label = Literal["path", "leaf"]


class ClassEntry(TypedDict):
    """One class."""

    name: str
    """The class path, or its last part."""
    parts: list[str]
    """The class path from the root, for measures over the hierarchy."""
    count: int
    """Items in the catalogue."""


class Classes(TypedDict):
    """Content of classes.json."""

    label: Label
    separator: str
    classes: list[ClassEntry]
    """Sorted by name; the position is the class index."""


def class_name(class_path: str, separator: str, label: Label) -> str:
    """Name the class of an item.

    Args:
        class_path: Normalised class path of the item.
        separator: What joins its parts.
        label: Whether a class is the whole path or its last part.

    Returns:
        The class path or its last part.
    """
    return class_path if label == "path" else class_path.split(separator)[-1]


def make_classes(class_paths: Iterable[str], *, separator: str, label: Label) -> Classes:
    """List the classes of a catalogue.

    Under `leaf`, paths that end alike are one class; its parts are those of the path with most
    items, at a tie the alphabetically first.

    Args:
        class_paths: N normalised class paths, one per item.
        separator: What joins their parts.
        label: Whether a class is the whole path or its last part.

    Returns:
        At least two classes, sorted by name.

    Raises:
        InputError: All items are of one class.
    """
    paths_of: dict[str, dict[str, int]] = defaultdict(dict)
    for path, count in sorted(Counter(class_paths).items()):
        paths_of[class_name(path, separator, label)][path] = count
    if len(paths_of) < 2:
        raise InputError(
            f"catalog: all items are of one class, {next(iter(paths_of))!r}; at least two are "
            "needed; see catalog.columns.classes, catalog.separator and catalog.label"
        )
    # max() keeps the first of equals, and the paths are in alphabetical order.
    entries: list[ClassEntry] = [
        {
            "name": name,
            "parts": max(paths, key=lambda path: paths[path]).split(separator),
            "count": sum(paths.values()),
        }
        for name, paths in sorted(paths_of.items())
    ]
    return {"label": label, "separator": separator, "classes": entries}


def class_indices(classes: Classes, class_paths: Iterable[str]) -> np.ndarray:
    """Find the class of each item.

    Args:
        classes: Content of classes.json.
        class_paths: N normalised class paths.

    Returns:
        [N] int64 class indices in [0, K).

    Raises:
        InputError: A path's class is not among the classes.
    """
    index_of = {entry["name"]: index for index, entry in enumerate(classes["classes"])}
    names = (class_name(path, classes["separator"], classes["label"]) for path in class_paths)
    try:
        return np.fromiter((index_of[name] for name in names), dtype=np.int64)
    except KeyError as error:
        raise InputError(
            f"class {error.args[0]!r} is not in classes.json; run the catalog stage again"
        ) from error
