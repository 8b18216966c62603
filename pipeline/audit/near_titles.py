"""Titles that are nearly the same: the same words in another order, a word more, a typo.

In a catalogue thousands of titles are alike by design: they differ in the word that tells the
products apart. So a place is passed over where many titles differ in it, and so is a word that
names one of the two classes: `kurti` for `kurta` is the very reason why they are filed apart. What
differs in a size, a colour or a number alone is another kind
(`shared_content.KINDS`).

Shape letters: W words of all titles, P pairs.
"""

from collections import Counter

import numpy as np
import pandas as pd

from pipeline.audit.words import WORD

LEAST_WORDS = 2
"""Of a title that is compared with others."""
LEAST_KEPT = 3
"""Words of a title that another has one more than: below it a word is too large a part."""
MOST_TITLES = 4
"""Different titles with the same words but one; where there are more the word is what varies."""
MOST_ROWS = 16
LEAST_LETTERS = 4
"""Of a word with a typo."""


def find_near_titles(items: pd.DataFrame) -> np.ndarray:
    """Find titles that differ by one word or its place.

    Every title is filed by all its words, and by all but each of its words; titles that meet are
    compared. So time and memory are linear in the words of all titles.

    Args:
        items: `text` and `class_path`, and the numbers of titles `title` and of titles without
            sizes, colours and numbers `near_text`: the same where these are.

    Returns:
        [P, 2] int64 positions of the first items with these titles and classes.
    """
    rows = items[["text", "class_path", "title", "near_text"]].assign(row=np.arange(len(items)))
    rows = rows.drop_duplicates(["title", "class_path"], ignore_index=True)
    words = [WORD.findall(text.casefold()) for text in rows["text"]]
    meeting = _meeting(words, rows["title"])
    pairs = meeting.merge(meeting, on="key")
    pairs = pairs[pairs["at_x"] < pairs["at_y"]].drop_duplicates(["at_x", "at_y"])
    one_P, other_P = pairs["at_x"].to_numpy(), pairs["at_y"].to_numpy()
    apart_P = np.ones(len(pairs), dtype=bool)
    for column in ("title", "near_text"):
        value = rows[column].to_numpy()
        apart_P &= value[one_P] != value[other_P]
    one_P, other_P = one_P[apart_P], other_P[apart_P]
    path = rows["class_path"]
    near_P = [
        are_near(words[one], words[other])
        and not _is_explained(words[one], words[other], path[one], path[other])
        for one, other in zip(one_P, other_P, strict=True)
    ]
    kept = np.asarray(near_P, dtype=bool)
    row = rows["row"].to_numpy()
    return np.stack([row[one_P[kept]], row[other_P[kept]]], axis=1)


def are_near(one: list[str], other: list[str]) -> bool:
    """Whether two titles have the same words but for their order, one word, or one typo."""
    more, less = Counter(one) - Counter(other), Counter(other) - Counter(one)
    shorter = min(len(one), len(other))
    if shorter < LEAST_WORDS or max(more.total(), less.total()) > 1:
        return False
    if more and less:
        return _is_typo(next(iter(more)), next(iter(less)))
    # A single letter or a number is part of a model's name.
    added = [word for word in more | less if word.isalpha() and len(word) > 1]
    return not more | less or (bool(added) and shorter >= LEAST_KEPT)


def _is_explained(one: list[str], other: list[str], path: str, other_path: str) -> bool:
    """Whether a word that only one title has is of the name of either class, plural or not."""
    differing = set(one) ^ set(other)
    named = WORD.findall(f"{path} {other_path}".casefold())
    return not {word.rstrip("s") for word in differing}.isdisjoint(w.rstrip("s") for w in named)


def _meeting(words: list[list[str]], title: pd.Series) -> pd.DataFrame:
    """Titles by what they may have in common: `key` and position `at`, where two to a few meet."""
    at_W = np.repeat(np.arange(len(words)), [len(some) for some in words])
    # A sum does not depend on the order; it wraps around, and a word can be taken out again.
    hash_W = pd.util.hash_array(np.array([word for some in words for word in some], dtype=object))
    all_N = np.zeros(len(words), dtype=np.uint64)
    np.add.at(all_N, at_W, hash_W)
    keys = np.concatenate([all_N, all_N[at_W] - hash_W])
    at = np.concatenate([np.arange(len(words)), at_W])
    found = pd.DataFrame({"key": keys, "at": at}).drop_duplicates()
    by_key = found.assign(title=title.to_numpy()[found["at"]]).groupby("key")
    size, titles = by_key["at"].transform("size"), by_key["title"].transform("nunique")
    return found[(size <= MOST_ROWS) & titles.between(2, MOST_TITLES)]


def _is_typo(one: str, other: str) -> bool:
    """Whether a letter is changed, missing, added, or has changed places with its neighbour."""
    if not (one.isalpha() and other.isalpha()) or min(len(one), len(other)) < LEAST_LETTERS:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]
