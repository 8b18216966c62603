"""How a class path is written."""

from unicodedata import normalize

from pipeline.core.errors import BadRowError


def normalize_class_path(class_path: str, separator: str) -> str:
    """Make one spelling of `a<b c`, ` a < b  c ` and the like: single blanks within the parts.

    Accents are parts of their letters (NFC), as two that look alike are no two classes.

    Raises:
        BadRowError: The path or one of its parts is empty.
    """
    parts = [" ".join(part.split()) for part in normalize("NFC", class_path).split(separator)]
    if parts == [""]:
        raise BadRowError("class path is empty")
    if "" in parts:
        raise BadRowError("class path has an empty part")
    return separator.join(parts)
