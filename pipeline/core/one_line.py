"""Texts on one line, in the catalogue and in what users type."""

import re

LINE_BREAK = re.compile("\r\n|[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")


def on_one_line(text: str) -> str:
    """Keep a text as written, but on one line and without whitespace around it.

    Args:
        text: Any text.

    Returns:
        The text, possibly empty.
    """
    return LINE_BREAK.sub(" ", text).strip()
