"""Text cleaning: named recipes, each a sequence of small str -> str steps."""

import re
import unicodedata
from collections.abc import Callable, Iterable

from bm25s.stopwords import STOPWORDS_EN_PLUS

STOP_WORDS = frozenset(STOPWORDS_EN_PLUS) - {"no", "nor", "not"}
"""English function words; the negations stay, as in notebook A, since they change a meaning."""

_NOT_LETTERS = re.compile(r"[^a-zA-Z]+")


def fold_accents(text: str) -> str:
    """Replace accented Latin letters by plain ones: `Chloe` with an accent keeps all its letters.

    Args:
        text: Any text.

    Returns:
        The text in compatibility decomposition without its combining marks.
    """
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def letters(text: str) -> str:
    """Notebook A's recipe: ASCII letters only, lower case, stop words dropped.

    Args:
        text: Any text; without `fold_accents` an accented letter ends a word.

    Returns:
        Words joined by single spaces; empty if none is left.
    """
    words = _NOT_LETTERS.sub(" ", text).lower().split()
    return " ".join(word for word in words if word not in STOP_WORDS)


RECIPES: dict[str, Callable[[str], str]] = {"letters": letters}


def clean_texts(texts: Iterable[str], *, recipe: str, fold: bool) -> list[str]:
    """Clean every text.

    Args:
        texts: Texts as the catalogue has them.
        recipe: A name in `RECIPES`.
        fold: Replace accented letters by plain ones first.

    Returns:
        One clean text per text, possibly empty.

    Raises:
        ValueError: The recipe is unknown.
    """
    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; known: {', '.join(RECIPES)}")
    step = RECIPES[recipe]
    return [step(fold_accents(text) if fold else text) for text in texts]
