"""Word search: BM25 over the texts of the catalogue's items.

Shape letters: N items.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NotRequired

import bm25s
import numpy as np
from typing_extensions import TypedDict

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as, write_json
from pipeline.core.text import fold_accents
from pipeline.index.added_words import AddedWords

FOLDER = "words"
"""In the index's folder: arrays and vocabulary of bm25s."""
DESCRIPTION = "words.json"
TOKENS_VERSION = 1
"""Of the rules of `tokens`: words cut by other rules would not be found."""
# Written without spaces between words, so a character is a word, as in Lucene's StandardTokenizer.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


class _Described(TypedDict):
    digest: str
    texts: int
    words: int
    mean_length: NotRequired[float | None]


class WordIndex:
    """Which of N texts have the words of a query, and how telling those words are."""

    def __init__(
        self,
        bm25: Any,
        count: int,
        digest: str,
        mean_length: float | None,
        added: AddedWords | None = None,
    ) -> None:
        """Put together; use `build` or `load`, and `with_added`."""
        self._bm25 = bm25
        self._count = count
        self.digest = digest
        """SHA-256 of the texts and of how they were cut."""
        self._mean_length = mean_length
        self._added = added
        self._number: dict[str, int] = {} if bm25 is None else bm25.vocab_dict
        self._best_V = np.zeros(0, np.float32)
        if bm25 is not None:
            scores = bm25.scores
            # Every word is in some text, so no part of the array is empty.
            self._best_V = np.maximum.reduceat(scores["data"], scores["indptr"][:-1])

    @property
    def size(self) -> int:
        """How many words the indexed texts have."""
        return len(self._number)

    def __len__(self) -> int:
        return self._count + (0 if self._added is None else len(self._added))

    @classmethod
    def build(cls, texts: Sequence[str]) -> WordIndex:
        """Index N texts, of which some or all may be without a word."""
        words_N = [tokens(text) for text in texts]
        # In order: the library's own vocabulary is a set, in another order in every process.
        number = {word: n for n, word in enumerate(sorted(set().union(*words_N)))}
        bm25 = None
        if number:
            bm25 = bm25s.BM25()
            numbers_N = [[number[word] for word in words] for words in words_N]
            bm25.index((numbers_N, number), create_empty_token=False, show_progress=False)
        whole = "\n".join([f"tokens {TOKENS_VERSION}", *texts])
        mean_length = sum(map(len, words_N)) / max(1, len(texts))
        return cls(bm25, len(texts), hashlib.sha256(whole.encode()).hexdigest(), mean_length)

    def with_added(self, texts: Sequence[str]) -> WordIndex:
        """Put A texts behind the indexed ones, which are neither counted nor scored again.

        So the scores of both differ a little from those of an index of all.
        """
        words_A = [tokens(text) for text in texts]
        mean_length = self._mean_length or sum(map(len, words_A)) / max(1, len(texts)) or 1.0
        added = AddedWords(words_A, self._holders, self._count, mean_length)
        return WordIndex(self._bm25, self._count, self.digest, self._mean_length, added)

    def _holders(self, word: str) -> int:
        if word not in self._number:
            return 0
        number = self._number[word]
        return int(np.diff(self._bm25.scores["indptr"][number : number + 2])[0])

    def scores(self, text: str) -> np.ndarray | None:
        """Tell how many of a query's words every text has; rare words count more than usual ones.

        It is BM25 divided by the most that these words could give. A word that no text has counts
        as much as the most telling one does, so a query that is mostly unknown scores little.

        Returns:
            [N] float32 in [0, 1]; None where no text has any word of it.
        """
        words = sorted(set(tokens(text)))
        known = [self._number[word] for word in words if word in self._number]
        best = dict.fromkeys(words, 0.0) | {
            word: float(self._best_V[self._number[word]]) for word in words if word in self._number
        }
        greatest = float(self._best_V.max(initial=0.0))
        if self._added is not None:
            greatest = max(greatest, self._added.most)
            best = {word: max(best[word], self._added.best(word)) for word in words}
        if not any(best.values()):
            return None
        most = sum(one or greatest for one in best.values())
        sum_N = self._bm25.get_scores_from_ids(known) if known else np.zeros(self._count, "f4")
        if self._added is not None:
            sum_N = np.concatenate([sum_N, self._added.sums(words)])
        return np.minimum(sum_N / np.float32(most), np.float32(1))

    def save(self, folder: Path) -> None:
        """Write a folder of arrays, the vocabulary and `words.json`, which says whose they are."""
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            if self._bm25 is not None:
                self._bm25.save(temporary, show_progress=False)
            described = {
                "digest": self.digest,
                "texts": self._count,
                "words": self.size,
                "mean_length": self._mean_length,
            }
            write_json(temporary / DESCRIPTION, described)

    @classmethod
    def load(cls, folder: Path) -> WordIndex:
        """Read what `save` wrote; nothing in it is run or unpickled.

        Raises:
            InputError: A file is missing or damaged.
        """
        described = read_json_as(folder / DESCRIPTION, _Described, "run huse index")
        try:
            bm25 = None
            if described["words"]:
                bm25 = bm25s.BM25.load(folder, show_progress=False)
                scores = bm25.scores
                parts = [len(bm25.vocab_dict), len(scores["indptr"]) - 1]
                ends = [len(scores["data"]), len(scores["indices"]), scores["indptr"][-1]]
                if parts != [described["words"]] * 2 or len(set(ends)) > 1:
                    raise ValueError("arrays of different lengths")
            return cls(bm25, described["texts"], described["digest"], described.get("mean_length"))
        except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
            raise InputError(f"{folder}: damaged ({error}); run huse index") from error


def tokens(text: str) -> list[str]:
    """Cut a text into words: runs of letters, digits and their marks, without case or accents.

    Scripts other than Latin stay as they are; a word of four letters or more loses a final s, so
    that a class called `shirts` finds a shirt.
    """
    words: list[str] = []
    run: list[str] = []
    for letter in [*fold_accents(text).casefold(), " "]:
        if unicodedata.category(letter)[0] in "LMN" and not UNSPACED.match(letter):
            run.append(letter)
            continue
        if run:
            words.append(_singular("".join(run)))
            run = []
        if UNSPACED.match(letter):
            words.append(letter)
    return words


def _singular(word: str) -> str:
    """Leave out the ending of an English plural: crude, but done to queries and texts alike."""
    if len(word) < 4 or word[-1] != "s" or word[-2] in "sui":
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes", "zes")) else word[:-1]
