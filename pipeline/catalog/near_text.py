"""Texts that differ in a size, a colour or a number alone: variants of one product.

A text is reduced to what is left without these, and texts with the same rest are nearly identical.
That is one pass over the texts, and no chain: what is equal to a second and a third text makes
those equal too.
"""

import re
import unicodedata
from functools import lru_cache

WORD = re.compile(r"[^\W_]+")

# As `casefold` leaves them (weiß is weiss). Words that are mostly something else (rose, gold, mint,
# camel, silver) are not among them: a gold ring is no variant of a ring.
_COLOURS = (
    "blacks?|whites?|gr[ea]y|blue|navy|red|green|yellow|orange|pink|purple|violet|brown|beige",
    "turquoise|teal|cyan|magenta|maroon|burgundy|khaki|olive|cream|ivory|charcoal|multicolou?r(?:ed)?",
    "(?:hell|dunkel)?(?:schwarz|weiss|grau|blau|rot|grün|gelb|braun)(?:e[mnrs]?)?",
    "rosa|lila|violett|türkis|mehrfarbig|bunt",
    "noire?s?|blanc(?:he)?s?|grise?s?|bleue?s?|rouges?|verte?s?|jaunes?|violette|brune?s?",
    "negr[oa]s?|blanc[oa]s?|azul(?:es)?|roj[oa]s?|verdes?|amarill[oa]s?|morad[oa]s?|grises|naranja",
    "ner[oaie]|bianc(?:[oa]|hi|he)|grigi[oae]|grigi|blu|ross[oaie]|verdi|giall[oaie]|arancione|viola",
    "marr(?:on|ón|one)s?",
)
_UNITS = "ml|cl|dl|l|g|kg|oz|lb|mm|cm|m|in|inch|inches|zoll"
# What a word may be, each kind with the letter that stands for it in `_VARIANT`.
_KINDS = {
    "c": "|".join(_COLOURS),
    # Light and dark say something else by themselves, so only beside a colour.
    "h": "light|dark|bright|pale|deep|off|hell|dunkel|marine|claire?|foncée?|clar[oa]|oscur[oa]",
    "n": rf"[wl]?\d+(?:x\d+)*(?:{_UNITS})?",
    "b": "m|l",
    "u": _UNITS,
    "z": r"x{0,4}s|x{2,4}[ml]?|x[ml]|\d+x{0,3}[sml]|x?small|medium|x*large|einheitsgrösse",
    "x": "x",
    "y": "eur?|us|uk|fr|it|de|sizes?|gr|grösse|groesse|taille|pointure|talla|taglia|misura",
    "o": "one",
    "q": "unique|única|unica",
}
_KIND_OF = [(kind, re.compile(words)) for kind, words in _KINDS.items()]
# Colours with their shades; numbers with unit or system (5 x 7 cm, EU 42, 10.5); sizes; one size.
_VARIANT = re.compile(r"h*c+h*|y*n(?:x?n|[ub])*|y*x*[zb]|oy|yq")
LEAST_WORDS = 2
"""A text of which fewer are left is like no other: `red hat` and `blue hat` may be anything."""


def plain_text(text: str) -> str:
    """Fold a text to what is compared of it: the same for every case and all whitespace."""
    return " ".join(text.casefold().split())


def near_text(text: str) -> str:
    """Reduce a text to what variants of one product have in common.

    That is its words in order, folded, without sizes, colours and numbers; the plain text where
    fewer than LEAST_WORDS are left. Equal texts are also nearly identical ones.
    """
    plain = plain_text(text)
    words = WORD.findall(unicodedata.normalize("NFKC", plain))
    rest, start = [], 0
    # One letter per word, so that places in this string are places in the list.
    for found in _VARIANT.finditer("".join(map(_kind, words))):
        rest += words[start : found.start()]
        start = found.end()
    rest += words[start:]
    return " ".join(rest) if len(rest) >= LEAST_WORDS else plain


@lru_cache(2**16)
def _kind(word: str) -> str:
    """Give the first kind that a word is of, or a dot."""
    return next((kind for kind, words in _KIND_OF if words.fullmatch(word)), ".")
