"""Titles in another language than most of the catalogue's.

Shape letters: N items.
"""

from collections import Counter
from typing import NamedTuple

import pandas as pd
from py3langid import langid

LEAST_CERTAIN = 0.6
"""Probability from which a title's language is believed. Names of brands and products look like
any language; of 19,629 English fashion titles one is taken for another from here on, a German
perfume's, of 3,944 names of emojis five."""
COLUMNS = ["item_id", "class_path", "language", "probability"]


class Languages(NamedTuple):
    """Which languages a catalogue's titles are in."""

    items: dict[str, int]
    """Items by language (ISO 639 code), the most frequent first, of those that are certain."""
    others: pd.DataFrame
    """COLUMNS: items that are not in the most frequent one, the most certain first."""


def find_languages(items: pd.DataFrame) -> Languages:
    """Identify the language of every title, and list those that are not in the usual one.

    By py3langid (Lui and Baldwin 2012), which knows 100 languages and needs some 25 microseconds a
    title. Most titles are too short to be certain; these are not counted.

    Args:
        items: N items with `item_id`, `text` and `class_path`.
    """
    items = items[items["text"] != ""]
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    found = {text: identifier.classify(text) for text in items["text"].unique()}
    table = items[["item_id", "class_path"]].assign(
        language=[found[text][0] for text in items["text"]],
        probability=[float(found[text][1]) for text in items["text"]],
    )
    table = table[table["probability"] >= LEAST_CERTAIN]
    count_of = dict(Counter(table["language"]).most_common())
    usual = next(iter(count_of), "")
    others = table[table["language"] != usual]
    ranked = others.sort_values("probability", ascending=False, kind="stable", ignore_index=True)
    return Languages(count_of, ranked[COLUMNS])
