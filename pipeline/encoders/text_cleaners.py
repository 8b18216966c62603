"""What the libraries do to a text before its tokens, apart from lower case.

Those of open_clip are written out here, since importing its own imports torch.
"""

import html
import string
from collections.abc import Callable

_PUNCTUATION = str.maketrans("", "", string.punctuation)


def open_clip_whitespace(text: str) -> str:
    """Repair wrong encodings, resolve HTML entities, and make each run of blanks one."""
    # Takes a moment to import, which the other cleaners need not wait for.
    import ftfy

    repaired: str = ftfy.fix_text(text)
    return " ".join(html.unescape(html.unescape(repaired)).split())


def open_clip_canonical(text: str) -> str:
    """As `open_clip_whitespace`, without ASCII punctuation and in lower case."""
    bare = open_clip_whitespace(text).replace("_", " ").translate(_PUNCTUATION)
    return " ".join(bare.lower().split())


def as_it_is(text: str) -> str:
    """Leave a text alone."""
    return text


CLEANERS: dict[str, Callable[[str], str]] = {
    "none": as_it_is,
    "strip": str.strip,
    "open_clip": open_clip_whitespace,
    "open_clip_canonical": open_clip_canonical,
}
