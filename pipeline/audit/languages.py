"""Titles in another language than most of the catalogue's.

Shape letters: N items.
"""

from collections import Counter
from typing import NamedTuple

import pandas as pd

from pipeline.core.languages import LEAST_CERTAIN, identify_languages

COLUMNS = ["item_id", "class_path", "language", "probability"]


class Languages(NamedTuple):
    """Which languages a catalogue's titles are in."""

    items: dict[str, int]
    """Items by language (ISO 639 code), the most frequent first, of those that are certain."""
    others: pd.DataFrame
    """COLUMNS: items that are not in the most frequent one, the most certain first."""


def find_languages(items: pd.DataFrame) -> Languages:
    """Identify the language of every title, and list those that are not in the usual one.

    Most titles are too short to be certain; these are not counted.

    Args:
        items: N items with `item_id`, `text` and `class_path`.
    """
    items = items[items["text"] != ""]
    found = identify_languages(items["text"].unique())
    table = items[["item_id", "class_path"]].assign(
        language=[found[text].language for text in items["text"]],
        probability=[found[text].probability for text in items["text"]],
    )
    table = table[table["probability"] >= LEAST_CERTAIN]
    count_of = dict(Counter(table["language"]).most_common())
    usual = next(iter(count_of), "")
    others = table[table["language"] != usual]
    ranked = others.sort_values("probability", ascending=False, kind="stable", ignore_index=True)
    return Languages(count_of, ranked[COLUMNS])
