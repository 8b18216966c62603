"""JSON artifacts: readable, byte-stable, written whole."""

import json
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

Content = TypeVar("Content")

VERSION = "format_version"
"""Under this key a file says which version of its form it has."""
LONGEST = 300
"""Characters of what a library says of a mistake."""


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented UTF-8 JSON; the same value gives the same bytes.

    Raises:
        InputError: The folder cannot be written to.
        ValueError: The value holds NaN or infinity, which JSON has no word for.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path, again: str = "make it again") -> Any:
    """Read a JSON artifact; `again` is what to do about one that is none.

    Raises:
        InputError: The file is missing, cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; run the stage that makes it first") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    # Also of bytes that are no UTF-8, a number of thousands of digits, thousands of brackets.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error}); {again}") from error


def read_json_as(
    path: Path, kind: type[Content], again: str, *, version: int | None = None
) -> Content:
    """Read a JSON artifact and check what it holds.

    Args:
        path: The file.
        kind: What is expected: a `TypedDict` of `typing_extensions`, or a type such as `list[str]`.
            Nothing is converted, and keys that it does not name may be there.
        again: What to do about a file that is something else, such as `run huse train`.
        version: Which `format_version` it has to have; None: it has none.

    Returns:
        The whole content.

    Raises:
        InputError: The file is missing, is not JSON, is of another version, or holds something
            else; the first key that does is named.
    """
    value = read_json(path, again)
    if version is not None and isinstance(value, dict):
        found = value.get(VERSION)
        if type(found) is not int:
            raise InputError(f"{path}: damaged (no {VERSION}); {again}")
        if found != version:
            remedy = "update the program, or " * (found > version) + again
            raise InputError(
                f"{path}: format version {found}, this program reads {version}; {remedy}"
            )
    return _checked(path, value, kind, again)


def read_note_as(path: Path, note: str | None, kind: type[Content], again: str) -> Content:
    """Read JSON that stands in a file of another form, as in a table's metadata.

    Args:
        path: That file, for the message.
        note: The JSON; None where there is none.
        kind: As `read_json_as` takes it.
        again: What to do about another one.

    Raises:
        InputError: There is none, or it says something else.
    """
    try:
        value = json.loads(note or "")
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged, or of another program ({error}); {again}") from error
    return _checked(path, value, kind, again)


def _checked(path: Path, value: Any, kind: type[Content], again: str) -> Content:
    from pydantic import ValidationError

    try:
        _checker(cast(Any, kind)).validate_python(value, strict=True)
    except ValidationError as error:
        raise InputError(f"{path}: damaged ({_first(error)}); {again}") from error
    return cast(Content, value)


@cache
def _checker(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _first(error: Any) -> str:
    """Say what is wrong first."""
    mistake = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(map(str, mistake["loc"])) or "all of it"
    if mistake["type"] == "missing":
        return f"{key}: missing"
    said = " ".join(mistake["msg"].split()).removeprefix("Input ")
    return f"{key}: {said.replace('a valid dictionary', 'an object')}"[:LONGEST]
