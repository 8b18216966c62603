"""What stage catalog made, as far as an audit looks at it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from pipeline.core.csv_file import read_csv
from pipeline.core.errors import BadRowError
from pipeline.core.table import read_table
from pipeline.features.class_path import normalize_class_path
from pipeline.features.classes import read_classes

CATALOG = "huse catalog"
PLACEHOLDER_COLUMNS = [
    *("kind", "value", "items", "classes"),
    *("most_frequent_class", "first_row"),
]


class Catalogue(NamedTuple):
    """A catalogue's items, and what stage catalog says of them and of its other rows."""

    items: pd.DataFrame
    """N items: `item_id`, `image`, `text`, `class_path`."""
    shared: pd.DataFrame
    """N rows: `item_id` and numbers `picture`, `text` and `near_text`, the same where these are."""
    classes: Mapping[str, Any]
    """Content of classes.json."""
    rejected_paths: list[tuple[str, ...]]
    """Parts of the class path of every rejected row that has one."""
    placeholders: pd.DataFrame
    """PLACEHOLDER_COLUMNS: pictures and texts that say nothing. Items of such pictures have none,
    or were rejected; those of such texts are items."""

    @property
    def separator(self) -> str:
        """What joins the parts of a class path."""
        return self.classes["separator"]


def read_catalogue(
    items: Path, groups: Path, classes: Path, rejected: Path, placeholders: Path
) -> Catalogue:
    """Read the files that stage catalog wrote.

    Raises:
        InputError: One is missing or damaged.
    """
    found = read_classes(classes)
    written = read_csv(rejected, ["classes"], CATALOG)["classes"]
    return Catalogue(
        read_table(items, ["item_id", "image", "text", "class_path"]),
        read_table(groups, ["item_id", "picture", "text", "near_text"]),
        found,
        list(_parts(written, found["separator"])),
        read_csv(placeholders, PLACEHOLDER_COLUMNS, CATALOG),
    )


def _parts(paths: pd.Series, separator: str) -> Iterator[tuple[str, ...]]:
    for path in paths:
        try:
            yield tuple(normalize_class_path(path, separator).split(separator))
        except BadRowError:
            # That may be why it was rejected.
            continue
