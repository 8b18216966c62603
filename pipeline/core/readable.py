"""What stands in the texts of shops that nobody reads: markup, invisible characters, split letters.

It is taken out of a catalogue's texts and of new ones alike.
"""

import html
import re
import unicodedata
from html.parser import HTMLParser
from typing import NamedTuple

MARKUP, INVISIBLE, SPLIT = "markup", "invisible characters", "split letters"
"""Kinds of noise: HTML tags and entities; control characters and the like; letters whose accents
are characters of their own, as Unicode's form NFC does not have them."""

# Between words, so that their texts are words apart.
_BLOCKS = (
    *("p", "br", "div", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "td"),
    *("th", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "section", "article", "header", "footer"),
    *("blockquote", "pre", "center", "img", "html", "body", "head", "title", "meta", "link"),
    *("iframe", "video", "figure", "figcaption", "form", "label", "input", "button"),
)
_INLINE = (
    *("em", "strong", "span", "font", "small", "big", "sup", "sub"),
    *("mark", "code", "del", "ins", "abbr", "cite", "wbr"),
)
# Sizes stand in brackets too: without its end, or something in it, `<S>` is no tag.
_LETTERS = "abiqsu"
# No text at all.
_CODE = ("script", "style")
_REACH = 1000
"""Characters in which the end of a comment or of `<b>` is looked for; of a text full of open ones
none is."""
_NAMES = "|".join((*_BLOCKS, *_INLINE, *_CODE))
_TAG = "|".join(
    (
        rf"/?(?:{_NAMES})(?:[\s/][^<>]*)?>",
        rf"(?:/[{_LETTERS}]\s*|[{_LETTERS}]\s[^<>]*)>",
        rf"(?P<letter>[{_LETTERS}])>(?=.{{0,{_REACH}}}?</(?P=letter)\s*>)",
        rf"!--.{{0,{_REACH}}}?-->",
    )
)
_MARKUP = re.compile(rf"<(?:{_TAG})|&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);", re.I | re.S)
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
# `<M>`, `a < b` and `<3` are no tags.
_NO_TAG = re.compile(rf"<(?!{_TAG})", re.I | re.S)
_WRAPPINGS = 3
"""How often a text is unwrapped: some export `&lt;p&gt;`, or `&amp;amp;`."""

# Controls but line ends and tabs, the soft hyphen, zero-width space, marks and overrides of
# direction, byte-order marks. Joiners stay: emojis and the words of some scripts are made of them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)


class Readable(NamedTuple):
    """A text as it is read."""

    text: str
    noise: tuple[str, ...]
    """Kinds of what was taken out."""


def make_readable(text: str) -> Readable:
    """Take markup and invisible characters out of a text, and put its letters together (NFC).

    A text without any stays as written. Where there was markup, runs of blanks become one.
    """
    noise = []
    for _ in range(_WRAPPINGS):
        if ("<" not in text and "&" not in text) or not _MARKUP.search(text):
            break
        bare = _without_markup(text)
        if bare == text:
            break
        text = bare
        noise = [MARKUP]
    if _UNSEEN.search(text):
        text = _UNSEEN.sub("", text)
        noise.append(INVISIBLE)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
        noise.append(SPLIT)
    return Readable(text, tuple(noise))


def _without_markup(text: str) -> str:
    if re.search(rf"<(?:{_TAG})", text, re.I | re.S):
        reader = _Words()
        reader.feed(_NO_TAG.sub("&lt;", text))
        reader.close()
        text = "".join(reader.pieces)
    else:
        # Only whole entities: `&copy2020` is an article number.
        text = _ENTITY.sub(lambda found: html.unescape(found.group()), text)
    return " ".join(text.split())


class _Words(HTMLParser):
    """Collects what a browser shows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden = tag in _CODE
        if tag in _BLOCKS:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        if tag in _BLOCKS:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)
