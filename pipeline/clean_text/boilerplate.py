"""Sentences that stand in many texts of unlike classes, such as those on delivery.

They say nothing of an item, and make every text that has them like every other.

Shape letters: N items, P pairs of a product and one of its sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple

import numpy as np

LEAST_WORDS = 3
"""Of a sentence: fewer may be a colour, a size or a material, which many classes share too."""
LEAST_PRODUCTS = 20
"""That have a sentence: of a small catalogue the share is of too few."""
LEAST_CLASSES = 5
LARGEST = 0.5
"""Share of its products in one part of the class tree that has hardly any of the others."""

_END = re.compile(r"(?<=[.!?\u2026])\s+|(?<=[\u3002\uff01\uff1f])|\s+[|\u2022\u00b7]\s+")
_EDGE = re.compile(r"^\W+|\W+$")


class Sentence(NamedTuple):
    """A sentence that is left out of texts."""

    key: str
    """As `sentence_key` gives it."""
    texts: int
    """In how many texts it stands."""


def sentences_of(text: str) -> list[str]:
    """Cut a text where sentences end, and at signs that part fragments."""
    return [part for part in _END.split(text) if part.strip()]


def sentence_key(sentence: str) -> str:
    """What is the same of a sentence however it is written: no case, no signs at its ends."""
    return _EDGE.sub("", " ".join(sentence.split()).casefold())


def find_boilerplate(
    texts: Sequence[str],
    classes: Sequence[str],
    groups: Sequence[int],
    *,
    separator: str,
    share: float,
) -> list[Sentence]:
    """Find the sentences that many products of unlike classes share.

    Only sentences beside others count, so that a title never does, however often it is there, and
    only those of at least LEAST_WORDS words. All that is kept of each is a number of eight bytes.

    Args:
        texts: Of N items, empty where one has none.
        classes: Their class paths.
        groups: Which product each is of: items of one count once.
        separator: Of class paths.
        share: Of the products with a text, which those with a sentence must exceed; 1: look for
            none.

    Returns:
        The most frequent first, then by key.
    """
    if share >= 1.0:
        return []
    pair_P2 = np.fromiter(chain.from_iterable(_pairs(texts, groups)), np.uint64).reshape(-1, 2)
    products = len({group for text, group in zip(texts, groups, strict=True) if text})
    number, count = np.unique(np.unique(pair_P2, axis=0)[:, 0], return_counts=True)
    least = max(share * products, LEAST_PRODUCTS - 1)
    frequent = set(number[count > least].tolist())
    if not frequent:
        return []
    texts_of = Counter[str]()
    class_of: dict[str, dict[int, int]] = {}
    for n, text in enumerate(texts):
        for key in dict.fromkeys(_keys(text)):
            if _number(key) in frequent:
                texts_of[key] += 1
                class_of.setdefault(key, {}).setdefault(groups[n], n)
    nodes_of = {path: _nodes(path.split(separator)) for path in set(classes)}
    first: dict[int, int] = {}
    for n, (text, group) in enumerate(zip(texts, groups, strict=True)):
        if text:
            first.setdefault(group, n)
    usual = Counter(node for n in first.values() for node in nodes_of[classes[n]])
    found = [
        Sentence(key, texts_of[key])
        for key, rows in class_of.items()
        if len(rows) > least
        and _is_spread([nodes_of[classes[n]] for n in rows.values()], usual, products)
    ]
    return sorted(found, key=lambda one: (-one.texts, one.key))


def without_boilerplate(text: str, keys: Collection[str]) -> str:
    """Leave sentences out of a text, unless nothing would be left; without any it is as it was."""
    parts = sentences_of(text)
    if len(parts) < 2:
        return text
    kept = [part for part in parts if sentence_key(part) not in keys]
    return " ".join(kept) if kept and len(kept) < len(parts) else text


def _keys(text: str) -> Iterator[str]:
    """Of the sentences of a text that stand beside others and are long enough."""
    parts = sentences_of(text)
    if len(parts) > 1:
        for key in map(sentence_key, parts):
            if len(key.split()) >= LEAST_WORDS:
                yield key


def _pairs(texts: Sequence[str], groups: Sequence[int]) -> Iterator[tuple[int, int]]:
    for text, group in zip(texts, groups, strict=True):
        for key in _keys(text):
            yield _number(key), group


def _number(key: str) -> int:
    """Eight bytes that stand for a sentence; of a million, two share one with odds of 3e-8."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little")


def _nodes(parts: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _is_spread(
    nodes_of: Sequence[Sequence[tuple[str, ...]]],
    usual: Counter[tuple[str, ...]],
    products: int,
) -> bool:
    """Whether products are of unlike classes, and of none much more than products are at all.

    Half of them may be in a part of the class tree that has hardly any product, and all of them in
    one that has every product: a sentence of all clothing says something beside furniture, and
    nothing in a catalogue of clothing.
    """
    sizes = Counter(node for nodes in nodes_of for node in nodes)
    if len({nodes[-1] for nodes in nodes_of}) < LEAST_CLASSES:
        return False
    return all(
        size / len(nodes_of) <= LARGEST + (1.0 - LARGEST) * usual[node] / products
        for node, size in sizes.items()
    )
