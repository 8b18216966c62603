"""What ran: versions, counts and settings, for the report."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core.errors import InputError
from pipeline.evaluate.evaluation_items import EvaluationItems
from pipeline.features.classes import item_classes
from pipeline.model.model_file import StoredModel

VERSIONS = ("huse-pipeline", "torch", "numpy", "pandas", "pyarrow", "pillow")
SHOWN_ROWS = 20
"""Rejected rows that the report lists."""


def count_items(items: EvaluationItems, stored: StoredModel) -> dict[str, str]:
    """Count what was evaluated, by name."""
    sizes = items.table["split"].value_counts()
    labels = {}
    if "paths" in stored.classes:
        labels["labels"] = str(len(stored.classes["classes"]))
    return {
        "items": ", ".join(f"{sizes.get(name, 0)} {name}" for name in ("train", "val", "test")),
        "groups of variants": str(items.table["group"].nunique()),
        "classes": str(len(item_classes(stored.classes))),
        **labels,
        "modalities": ", ".join(items.modalities),
    }


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Name the leaves of a nested dict: `section.key` to the value as text."""
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            leaves.update(flatten(value, f"{prefix}{key}."))
        else:
            leaves[f"{prefix}{key}"] = str(value)
    return leaves


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that compute, by name."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}}


def read_rejected(path: Path) -> pd.DataFrame:
    """Read a CSV list of rejected rows or failed pictures; all values are text."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; run the stage that makes it first") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable CSV file ({error}); make it again") from error
