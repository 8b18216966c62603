"""Titles that name a class of the catalogue, and not the one that they are filed under.

A name in a title means something where most of the titles with it are of one class: `watch` does,
`dress` in `dress shoes` does not. How much each name means is counted in the catalogue itself.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import pandas as pd

from pipeline.audit.class_findings import plain_name
from pipeline.audit.words import WORD
from pipeline.core.share_interval import share_interval

LEAST_TITLES = 5
"""Fewer titles with a name say nothing of it."""
LEAST_SHARE = 0.9
"""Share of the titles with a name that are of its class, at the lower end of the interval."""
CONFIDENCE = 0.95


def find_named_classes(items: pd.DataFrame, separator: str) -> pd.DataFrame:
    """Find the items whose title names a class that is neither theirs nor above it.

    Of the class names in a title, that of the last words counts: `watch box` is a box. Several
    classes of the same name are one.

    Args:
        items: N items with `item_id`, `text` and `class_path`.
        separator: What joins the parts of a class path.

    Returns:
        `item_id`, `class_path`, `named_path` (of the classes of that name the one with most
        items), `share` of the titles with that name that are filed under it, with its Wilson
        interval `low` and `high`, and `titles` with that name; the surest first.
    """
    paths_of, longest = _names(items["class_path"], separator)
    rows = []
    with_name: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for item_id, text, path in items[["item_id", "text", "class_path"]].itertuples(index=False):
        name = _last_name(text, paths_of, longest)
        if name is None:
            continue
        with_name[name] += 1
        own = {plain_name(part) for part in path.split(separator)}
        if name in own:
            right[name] += 1
        else:
            rows.append((item_id, path, name))
    intervals = {
        name: _interval(right[name], count)
        for name, count in with_name.items()
        if count >= LEAST_TITLES
    }
    found = [
        (item_id, path, paths_of[name].most_common(1)[0][0], *intervals[name], with_name[name])
        for item_id, path, name in rows
        if name in intervals and intervals[name][1] >= LEAST_SHARE
    ]
    columns = ["item_id", "class_path", "named_path", "share", "low", "high", "titles"]
    table = pd.DataFrame(found, columns=columns)
    return table.sort_values("low", ascending=False, kind="stable", ignore_index=True)


def _names(class_paths: pd.Series, separator: str) -> tuple[dict[str, Counter[str]], int]:
    """Class paths by their last part's plain name, and how many words the longest name has."""
    paths_of: dict[str, Counter[str]] = defaultdict(Counter)
    longest = 1
    for path, count in class_paths.value_counts(sort=False).sort_index().items():
        leaf = str(path).split(separator)[-1]
        paths_of[plain_name(leaf)][str(path)] += count
        longest = max(longest, len(WORD.findall(leaf)))
    return dict(paths_of), longest


def _last_name(text: str, names: dict[str, Counter[str]], longest: int) -> str | None:
    words = WORD.findall(unicodedata.normalize("NFKC", text))
    return next((name for name in _endings(words, longest) if name in names), None)


def _endings(words: Sequence[str], longest: int) -> Iterator[str]:
    """Runs of words, those that end last first, and of these the longest first."""
    for end in range(len(words), 0, -1):
        for start in range(max(0, end - longest), end):
            yield plain_name(" ".join(words[start:end]))


def _interval(right: int, count: int) -> tuple[float, float, float]:
    return right / count, *share_interval(right, count, CONFIDENCE)
