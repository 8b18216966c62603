"""Parameters that are `auto` or a number; None stands for auto."""

from typing import Annotated, Any

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError


def _auto_or_count(value: Any) -> int | None:
    if value == "auto":
        return None
    if type(value) is int and value >= 1:
        return value
    raise PydanticCustomError("count", "auto or a whole number above zero is expected")


def _auto_or_share(value: Any) -> float | None:
    if value == "auto":
        return None
    if type(value) in (int, float) and 0 <= value < 1:
        return float(value)
    raise PydanticCustomError("share", "auto or a number from 0 to below 1 is expected")


AutoOrCount = Annotated[int | None, PlainValidator(_auto_or_count)]

AutoOrShare = Annotated[float | None, PlainValidator(_auto_or_share)]
