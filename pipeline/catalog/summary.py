"""What a catalogue consists of, in a few figures, before anything is trained on it."""

from collections import Counter
from collections.abc import Collection, Iterator
from statistics import median
from typing import Any

import pandas as pd

from pipeline.catalog.items import duplicate_of
from pipeline.core.counted import counted
from pipeline.core.languages import identify_languages
from pipeline.core.readable import make_readable

SAMPLE = 10_000
"""Texts whose languages are told; of more, evenly spread ones."""
PLACES = 4
"""Decimals of a share."""
SHOWN = 3
"""Languages that are named at most."""
LEAST_SHOWN = 0.01
"""Share of the texts that such a language has."""


def summarise(
    table: pd.DataFrame,
    items: pd.DataFrame,
    pictures: pd.DataFrame,
    rejected: pd.DataFrame,
    placeholders: pd.DataFrame,
    groups: Collection[int],
    separator: str,
) -> dict[str, Any]:
    """Count what a catalogue consists of.

    Args:
        table: Its rows, with `text` as written.
        items: The N items with `text`, `plain_text` and `class_path`; empty where an item has none.
        pictures: Of the items, with `item_id` and `digest`.
        rejected: The rows that are no items, with `reason`.
        placeholders: With `kind`.
        groups: Of N items, the number of the set that is never divided.
        separator: Of class paths.

    Returns:
        Figures by subject; shares are of the items.
    """
    size_of = Counter(items["class_path"])
    largest, size = size_of.most_common(1)[0]
    depth_N = items["class_path"].map(lambda path: path.count(separator) + 1)
    words = [len(text.split()) for text in items["text"] if text] or [0]
    kinds = Counter(placeholders["kind"])
    duplicates = rejected["reason"].str.startswith(duplicate_of(0)[:-1]).sum()
    return {
        "rows": len(table),
        "rejected": {"rows": len(rejected), "duplicates": int(duplicates)},
        "items": len(items),
        "classes": {
            "number": len(size_of),
            "least_depth": int(depth_N.min()),
            "most_depth": int(depth_N.max()),
            "largest": largest,
            "share_of_largest": round(size / len(items), PLACES),
            "with_one_item": sum(count == 1 for count in size_of.values()),
        },
        "texts": {
            **_values(items["plain_text"]),
            "placeholders": kinds["text"],
            "median_words": float(median(words)),
            "most_words": max(words),
            "cleaned": dict(count_noise(table["text"])),
            "languages": _languages(items["text"]),
        },
        "pictures": {**_pictures(pictures, len(items)), "placeholders": kinds["picture"]},
        "largest_group": max(Counter(groups).values()),
    }


def describe(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Say a summary in a line per subject: what of, and what of it."""
    rejected, classes, texts = summary["rejected"], summary["classes"], summary["texts"]
    bad, twice = rejected["rows"], rejected["duplicates"]
    said = f", {twice} of them as {'a duplicate' if twice == 1 else 'duplicates'}" * bool(twice)
    yield "rows", f"{summary['rows']}, {bad or 'none'} rejected{said}"
    least, most = classes["least_depth"], classes["most_depth"]
    deep = f"{least}" if least == most else f"{least} to {most}"
    yield (
        "classes",
        f"{classes['number']}, {deep} deep, {classes['with_one_item'] or 'none'} with one item; "
        f"the largest, {classes['largest']}, has {classes['share_of_largest']:.0%} of the items",
    )
    length = texts["median_words"]
    yield (
        "texts",
        f"{length:g} {'word' if length == 1 else 'words'} (median), at most {texts['most_words']}; "
        f"{_said(texts)}",
    )
    certain = sum(texts["languages"].values())
    # A few texts of a language are as likely told wrongly.
    codes = [
        (code, count / certain)
        for code, count in Counter(texts["languages"]).most_common(SHOWN)
        if count / certain >= LEAST_SHOWN
    ]
    named = ", ".join(f"{code} {share:.0%}" for code, share in codes)
    yield (
        "languages",
        f"{named} of {counted(certain, 'text')} long enough to tell" if named else "not told",
    )
    pictures = _said(summary["pictures"])
    if several := summary["pictures"]["several"]:
        pictures += f", {several:.0%} have several"
    yield "pictures", pictures
    largest = summary["largest_group"]
    together = "that are never divided" if largest > 1 else "since none are kept together"
    yield "largest group", f"{counted(largest, 'item')} {together}"


def count_noise(texts: pd.Series) -> Counter[str]:
    """Count texts by what is taken out of them so that they can be read."""
    return Counter(kind for text in texts for kind in make_readable(text).noise)


def describe_noise(texts: pd.Series) -> str | None:
    """One line on what is taken out of texts; None where nothing is."""
    found = count_noise(texts)
    if not found:
        return None
    kinds = ", ".join(f"{kind} in {count}" for kind, count in found.most_common())
    of = counted(len(texts), "text")
    return f"catalog.columns.text: of {of} what nobody sees is not read: {kinds}"


def _pictures(pictures: pd.DataFrame, items: int) -> dict[str, float]:
    number_of = pictures["item_id"].value_counts()
    shared = pictures.loc[pictures["digest"].duplicated(keep=False), "item_id"].nunique()
    return {
        "missing": round(1 - len(number_of) / items, PLACES),
        "shared": round(shared / items, PLACES),
        "several": round(float((number_of > 1).sum() / items), PLACES),
    }


def _values(value_N: pd.Series) -> dict[str, float]:
    there_N = value_N[value_N != ""]
    return {
        "missing": round(1 - len(there_N) / len(value_N), PLACES),
        "shared": round(float(there_N.duplicated(keep=False).sum() / len(value_N)), PLACES),
    }


def _said(of: dict[str, Any]) -> str:
    return (
        f"{of['missing']:.0%} of the items have none, {of['shared']:.0%} share one, "
        f"{counted(of['placeholders'], 'placeholder')}"
    )


def _languages(texts: pd.Series) -> dict[str, int]:
    """Texts by language, the most frequent first, of those that are long enough to be certain."""
    written = texts[texts != ""]
    sample = written.iloc[:: max(1, -(-len(written) // SAMPLE))]
    found = identify_languages(sample.unique())
    sure = Counter(found[text].language for text in sample if found[text].is_certain)
    return dict(sure.most_common())
