"""Single steps of text cleaning, each a small str -> str function."""

import functools
import re
import unicodedata
from collections.abc import Callable

import regex

from pipeline.clean_text.stop_words import STOP_WORDS

NEGATIONS = frozenset({"no", "nor", "not"})

APOSTROPHES = "'\u2018\u2019\u02bc\u2032`"
MOST_DIGITS = 60
"""Longer runs of digits are no number that anyone reads out; num2words ends at 306."""

_NOT_LETTERS = re.compile(r"[^a-zA-Z]+")
# A mark is part of its letter: vowel signs of Hindi and Thai, accents that no letter has built in.
_NO_LETTER_OF_ANY_SCRIPT = regex.compile(r"[^\p{L}\p{M}]+")
_APOSTROPHES = re.compile(f"[{APOSTROPHES}]")
_COMMA_IN_NUMBER = re.compile(r"(?<=\d),(?=\d{3})")
# Anything but letters, digits, marks that belong to a letter, and apostrophes.
_PUNCTUATION = re.compile(rf"(?:[^\w\s{APOSTROPHES}\u0300-\u036f]|_)+")


def letters_only(text: str) -> str:
    """Everything but ASCII letters becomes a space; an accented letter ends a word."""
    return _NOT_LETTERS.sub(" ", text)


def letters_of_any_script(text: str) -> str:
    """Everything but letters, with their marks, becomes a space, digits too."""
    return _NO_LETTER_OF_ANY_SCRIPT.sub(" ", text)


def casefold(text: str) -> str:
    """Lower case of any script, and one spelling of letters that look the same (NFC)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def punctuation(text: str) -> str:
    """Signs become spaces, except apostrophes; the comma of 1,000 vanishes."""
    return _PUNCTUATION.sub(" ", _COMMA_IN_NUMBER.sub("", text))


def apostrophes(text: str) -> str:
    """Apostrophes vanish: `women's` becomes `womens`."""
    return _APOSTROPHES.sub("", text)


def stop_words(text: str) -> str:
    """Lower-case English function words go, and so do negations."""
    return " ".join(word for word in text.split() if word not in STOP_WORDS)


def stop_words_but_negations(text: str) -> str:
    """As `stop_words`, but no, nor and not stay, since they change a meaning (notebook A)."""
    return " ".join(word for word in text.split() if word not in STOP_WORDS or word in NEGATIONS)


def single_characters(text: str) -> str:
    """Words of one character go."""
    return " ".join(word for word in text.split() if len(word) > 1)


def numbers(text: str) -> str:
    """Whole numbers become English words, which may have hyphens, commas and `and` in them."""
    return " ".join(_spell(word) if word.isdecimal() else word for word in text.split())


def stem(text: str) -> str:
    """Every word becomes its Porter stem."""
    return " ".join(_stem(word) for word in text.split())


@functools.lru_cache(maxsize=2**16)
def _spell(digits: str) -> str:
    from num2words import num2words

    return num2words(int(digits)) if len(digits) <= MOST_DIGITS else digits


@functools.lru_cache(maxsize=2**18)
def _stem(word: str) -> str:
    return _stemmer()(word)


@functools.cache
def _stemmer() -> Callable[[str], str]:
    # nltk takes a moment to import, which the other steps need not wait for.
    from nltk.stem import PorterStemmer

    return PorterStemmer().stem


STEPS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "casefold": casefold,
    "letters_only": letters_only,
    "letters_of_any_script": letters_of_any_script,
    "punctuation": punctuation,
    "apostrophes": apostrophes,
    "stop_words": stop_words,
    "stop_words_but_negations": stop_words_but_negations,
    "single_characters": single_characters,
    "numbers": numbers,
    "stem": stem,
}
