"""Words of texts that came after the word index was made.

Shape letters: A texts that came after, W words of a query.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

K1, B = 1.5, 0.75
"""As bm25s has them: how soon more of a word counts no more, and how much a text's length does."""


class AddedWords:
    """BM25 of A texts, in units of the index behind which they are put."""

    def __init__(
        self,
        words_A: Sequence[Sequence[str]],
        holders: Callable[[str], int | None],
        texts: int,
        mean_length: float,
    ) -> None:
        """Score the words.

        A word is as rare as among the indexed texts, and one that none of these has as rare as it
        is among all.

        Args:
            words_A: The words of every text.
            holders: How many of the indexed texts have a word.
            texts: How many texts are indexed.
            mean_length: How many words these have on average.
        """
        self._count = len(words_A)
        held = Counter(word for words in words_A for word in set(words))
        self._scores: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, words in enumerate(words_A):
            length = K1 * (1 - B + B * len(words) / mean_length) if words else 0.0
            for word, often in Counter(words).items():
                known = holders(word)
                rarity = (
                    inverse_frequency(known, texts)
                    if known
                    else inverse_frequency(held[word], texts + len(words_A))
                )
                self._scores[word].append((place, rarity * often / (often + length)))
        self.most = max((self.best(word) for word in self._scores), default=0.0)
        """What the most telling word gives at most."""

    def __len__(self) -> int:
        return self._count

    def best(self, word: str) -> float:
        """What a word gives a text at most; 0 for one that no text has."""
        return max((score for _, score in self._scores.get(word, ())), default=0.0)

    def sums(self, words: Sequence[str]) -> np.ndarray:
        """[A] float32: what W words give every text together."""
        sum_A = np.zeros(self._count, np.float32)
        for word in words:
            for place, score in self._scores.get(word, ()):
                sum_A[place] += score
        return sum_A


def inverse_frequency(holders: int, texts: int) -> float:
    """Lucene's: how telling a word is that so many of the texts have."""
    return float(np.log(1 + (texts - holders + 0.5) / (holders + 0.5)))
