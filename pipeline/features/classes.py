"""Classes of a catalogue: what the classifier tells apart and the hierarchy is made of.

Shape letters: N items, K classes of which an item has exactly one, L labels.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NotRequired

import numpy as np
from typing_extensions import TypedDict

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as

Label = Literal["path", "leaf", "parts"]

OTHER_SEPARATORS = (">", "/", "|", "<", "\\", "::", ";")
"""What shops join the parts of class paths with, the most usual first."""


class ClassEntry(TypedDict):
    """One class."""

    name: str
    """The class path, its last part, or a part."""
    parts: list[str]
    """The class's place in the hierarchy, from the root."""
    count: int
    """Items in the catalogue."""


class PathEntry(ClassEntry):
    """One class path where every part is a label."""

    labels: list[int]
    """Positions of its parts among `classes`, ascending."""


class Classes(TypedDict):
    """Content of classes.json."""

    label: Label
    separator: str
    classes: list[ClassEntry]
    """What the classifier has outputs for and the semantic graph is about, sorted by name; the
    position is the number of the output."""
    paths: NotRequired[list[PathEntry]]
    """Under `parts` alone: the class paths, sorted. An item has one path, hence several labels."""


def make_classes(class_paths: Iterable[str], *, separator: str, label: Label) -> Classes:
    """List the classes of a catalogue.

    Under `leaf`, paths that end alike are one class. Under `parts`, every part is a class of its
    own, a label, and an item has as many as its path has different parts (notebook A). The place
    in the hierarchy of such a class is the one with most items, at a tie the alphabetically first.

    Returns:
        At least two classes, sorted by name.

    Raises:
        InputError: All items are of one class.
    """
    # In alphabetical order, and most_common() takes the first of equals.
    count_of_path = dict(sorted(Counter(class_paths).items()))
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for path, count in count_of_path.items():
        for name, parts in _classes_of(path, separator, label).items():
            counts[name][parts] += count
    names = {class_name(path, separator, label) for path in count_of_path}
    if len(names) < 2:
        raise InputError(
            f"catalog: all items are of one class, {next(iter(names))!r}; at least two are "
            "needed; see catalog.columns.classes, catalog.separator and catalog.label"
        )
    entries: list[ClassEntry] = [
        {
            "name": name,
            "parts": list(places.most_common(1)[0][0]),
            "count": places.total(),
        }
        for name, places in sorted(counts.items())
    ]
    classes: Classes = {"label": label, "separator": separator, "classes": entries}
    if label == "parts":
        number = {entry["name"]: position for position, entry in enumerate(entries)}
        classes["paths"] = [
            {
                "name": path,
                "parts": path.split(separator),
                "count": count,
                "labels": sorted({number[part] for part in path.split(separator)}),
            }
            for path, count in count_of_path.items()
        ]
    return classes


def read_classes(path: Path) -> Classes:
    """Read a classes.json.

    Raises:
        InputError: The file is missing or damaged.
    """
    return read_json_as(path, Classes, "run huse catalog")


def doubt_separator(classes: Classes) -> str | None:
    """One line if no path of two or more classes has a second part.

    That is right for a catalogue without a hierarchy only; maybe something else joins the parts.
    """
    paths = [entry["parts"] for entry in item_classes(classes)]
    if any(len(parts) > 1 for parts in paths):
        return None
    count_of = {mark: sum(mark in name for (name,) in paths) for mark in OTHER_SEPARATORS}
    likely = max(count_of, key=lambda mark: count_of[mark])
    hint = (
        f"; {count_of[likely]} have {likely!r}, which is perhaps what joins them"
        if 2 * count_of[likely] > len(paths)
        else "; right if they have no hierarchy"
    )
    return (
        f"catalog.separator: none of {len(paths)} class paths contains "
        f"{classes['separator']!r}{hint}"
    )


def class_name(class_path: str, separator: str, label: Label) -> str:
    """Class of which an item has exactly one: the last part under `leaf`, else the path."""
    return class_path.split(separator)[-1] if label == "leaf" else class_path


def item_classes(classes: Mapping[str, Any]) -> list[ClassEntry]:
    """The K classes of which an item has exactly one, which retrieval and the split go by.

    That is the class paths under `parts`, else the classes.
    """
    return classes["paths"] if "paths" in classes else classes["classes"]


def label_membership(classes: Mapping[str, Any]) -> np.ndarray | None:
    """Tell which labels the items of each class have, where an item has several.

    Returns:
        Under `parts`, [K, L] float32: 1 where the path (row) has the label (column), else 0.
        None where the classifier gives an item exactly one class.
    """
    if "paths" not in classes:
        return None
    membership_KL = np.zeros((len(classes["paths"]), len(classes["classes"])), dtype=np.float32)
    for row, path in enumerate(classes["paths"]):
        membership_KL[row, path["labels"]] = 1
    return membership_KL


def class_levels(classes: Mapping[str, Any]) -> np.ndarray:
    """Number what the classes share at each level of the hierarchy.

    Level l is the prefix of length l of a class's path, and the last level is the class itself. A
    class whose path is shorter shares nothing there: it has a number of its own.

    Returns:
        [K, L] int64, the coarsest level first, in the order of `item_classes`; L is the length of
        the longest path, and the numbers of a level say nothing of those of another.
    """
    entries = item_classes(classes)
    depth = max(len(entry["parts"]) for entry in entries)
    level_KL = np.empty((len(entries), depth), dtype=np.int64)
    for level in range(1, depth):
        number: dict[tuple[str, ...] | int, int] = {}
        for row, entry in enumerate(entries):
            parts = tuple(entry["parts"][:level])
            key = parts if len(parts) == level else row
            level_KL[row, level - 1] = number.setdefault(key, len(number))
    level_KL[:, -1] = np.arange(len(entries))
    return level_KL


def class_indices(classes: Mapping[str, Any], class_paths: Iterable[str]) -> np.ndarray:
    """Find the class of each item, [N] int64, among `item_classes`, by normalised class paths.

    Raises:
        InputError: A path's class is not among the classes.
    """
    index_of = {entry["name"]: index for index, entry in enumerate(item_classes(classes))}
    names = (class_name(path, classes["separator"], classes["label"]) for path in class_paths)
    try:
        return np.fromiter((index_of[name] for name in names), dtype=np.int64)
    except KeyError as error:
        raise InputError(
            f"class {error.args[0]!r} is not in classes.json; run the catalog stage again"
        ) from error


def class_names(classes: Mapping[str, Any]) -> list[str]:
    """Names of everything that is called a class; under `parts` the class paths come last."""
    return [entry["name"] for entry in (*classes["classes"], *classes.get("paths", ()))]


def check_same_classes(
    found: Iterable[str], wanted: Iterable[str], place: str | PathLike[str], remedy: str
) -> None:
    """Check that something was made for the classes of the catalogue, name by name.

    Numbers of classes mean nothing between two lists, even of the same length.

    Args:
        found: Names in the order that it has them.
        wanted: Those of the catalogue.
        place: What was made, for the message.
        remedy: What the user is to do.

    Raises:
        InputError: A name or the order differs; the first difference is named.
    """
    for one, other in zip_longest(found, wanted):
        if one != other:
            there, here = (
                "no class" if name is None else f"class {name!r}" for name in (one, other)
            )
            raise InputError(
                f"{place}: made for other classes: it has {there} where the catalogue has {here}; "
                f"{remedy}"
            )


def _classes_of(path: str, separator: str, label: Label) -> dict[str, tuple[str, ...]]:
    """Names of all classes of an item, each with its place in the hierarchy."""
    parts = tuple(path.split(separator))
    if label != "parts":
        return {class_name(path, separator, label): parts}
    # A part that a path repeats has its first place.
    return {part: parts[: parts.index(part) + 1] for part in parts}
