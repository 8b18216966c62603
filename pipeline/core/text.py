"""What is done to texts alike in the catalogue, in class names and in what users type."""

import re
import unicodedata

from anyascii import anyascii

from pipeline.core.errors import BadRowError
from pipeline.core.readable import make_readable

LINE_BREAK = re.compile("\r\n|[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")


def on_one_line(text: str) -> str:
    """Keep a text as written, but on one line and without whitespace around it."""
    return LINE_BREAK.sub(" ", text).strip()


def normalize_text(text: str) -> str:
    """Keep a text as written, but readable (`make_readable`), on one line and stripped.

    Raises:
        BadRowError: Nothing is left, or a character is half.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:  # a lone surrogate, as of a command line in Latin-1
        raise BadRowError("text holds half a character") from error
    text = on_one_line(make_readable(text).text)
    if not text:
        raise BadRowError("text is empty")
    return text


class _Folding(dict[int, str]):
    """Table for str.translate that works out each character once."""

    def __missing__(self, code: int) -> str:
        self[code] = _fold(chr(code))
        return self[code]


def _fold(letter: str) -> str:
    kind = unicodedata.category(letter)
    if "\u0300" <= letter <= "\u036f":
        return ""  # an accent without a letter of its own
    if kind[0] != "L" and kind != "Nd":
        return letter
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part)
    )
    if plain.isascii():
        return plain
    # No decomposition, but a plain spelling that people use: o with stroke, sharp s, ae.
    return anyascii(letter) if unicodedata.name(letter, "").startswith("LATIN ") else letter


_FOLDING = _Folding()


def fold_accents(text: str) -> str:
    """Write Latin letters and digits in ASCII: `Chloe` with an accent keeps all its letters.

    Accents are dropped, ligatures and full-width forms spelt out, and letters without a
    decomposition become what people type for them (o for o with stroke, ss for sharp s). Other
    scripts stay as they are: their transliteration would be no word of any vocabulary, and two
    spellings of one word. Signs stay too, so that a trade mark sign does not lengthen a word.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).translate(_FOLDING)
