"""The only reader of params.yaml: YAML 1.2, then typed sections, one clear line per mistake."""

from copy import deepcopy
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML, YAMLError

from pipeline.core.errors import InputError
from pipeline.core.section import Section

SectionT = TypeVar("SectionT", bound=Section)


def load_section(path: Path, name: str, model: type[SectionT]) -> SectionT:
    """Read one section of params.yaml.

    ruamel reads as DVC does: `1e-4` is a number and `no` is a string, which PyYAML turns around.

    Args:
        path: params.yaml.
        name: The section's key.
        model: Its schema.

    Returns:
        The checked, frozen section.

    Raises:
        InputError: The file is missing or not YAML, or a key is missing, unknown or impossible.
    """
    return check_section(path, name, model, read_params(path), every=True)


def read_params(path: Path) -> dict[str, Any]:
    """Parse params.yaml without checking it.

    Args:
        path: params.yaml.

    Returns:
        Section name to its raw value.

    Raises:
        InputError: The file is missing, cannot be read, is not YAML or not a mapping.
    """
    try:
        values = deepcopy(_parse(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; run in the project's folder") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected sections such as `catalog:`, found {values!r}")
    return values


@lru_cache(maxsize=8)
def _parse(text: str) -> Any:
    """Parse YAML once: a stage reads several sections, and the shipped file takes 70 ms."""
    return YAML(typ="safe", pure=True).load(text)


def read_value(path: Path, key: str) -> Any:
    """Read one value of a section that belongs to another stage, checked by that stage's schema.

    Args:
        path: params.yaml.
        key: Dotted, as in `catalog.images`.

    Returns:
        The value as it stands in the file.

    Raises:
        InputError: The file cannot be read, or there is no such key.
    """
    value: Any = read_params(path)
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise InputError(f"{path}: {key}: missing key")
        value = value[part]
    return value


def check_section(
    path: Path, name: str, model: type[SectionT], values: dict[str, Any], *, every: bool = False
) -> SectionT:
    """Check one section of an already parsed file against its schema.

    Args:
        path: Where the values are from, for messages.
        name: The section's key.
        model: Its schema.
        values: The whole parsed file.
        every: Whether to check the sections of objectives that are not in use too, which imports
            torch.

    Returns:
        The checked, frozen section.

    Raises:
        InputError: A key is missing, unknown or impossible.
    """
    if name not in values:
        raise InputError(f"{path}: section {name} is missing")
    try:
        return model.model_validate(values[name], context={"every": every})
    except ValidationError as error:
        details = error.errors()
        # A misspelt key is unknown, and the right one missing: one mistake, told once.
        meant = {
            (*detail["loc"][:-1], _meant(model, [str(part) for part in detail["loc"]]))
            for detail in details
            if detail["type"] == "extra_forbidden"
        }
        lines = [
            _describe(name, model, detail)
            for detail in details
            if detail["type"] != "missing" or detail["loc"] not in meant
        ]
        raise InputError(*(f"{path}: {line}" for line in lines)) from error


def _describe(section: str, model: type[Section], detail: Any) -> str:
    location = [str(part) for part in detail["loc"]]
    key = ".".join([section, *location])
    if detail["type"] == "extra_forbidden":
        within = _section_at(model, location[:-1])
        if location[-1] in within.moved:
            return f"{key}: unknown key; it is {within.moved[location[-1]]} now"
        meant = _meant(model, location)
        known = f"known keys: {', '.join(within.model_fields)}"
        return f"{key}: unknown key; {f'did you mean {meant}?' if meant else known}"
    if detail["type"] == "missing":
        return f"{key}: missing key"
    if detail["type"] == "model_type":
        return f"{key}: got {detail['input']!r}; a section with keys is expected"
    if isinstance(detail["input"], dict):  # settings that do not go together: all of the section
        return f"{key}: {_expected(detail)}"
    return f"{key}: got {detail['input']!r}; {_expected(detail)}"


def _meant(model: type[Section], location: list[str]) -> str | None:
    """The key that is written most like an unknown one."""
    known = list(_section_at(model, location[:-1]).model_fields)
    return next(iter(get_close_matches(location[-1], known, n=1)), None)


def _section_at(model: type[Section], location: list[str]) -> type[Section]:
    for part in location:
        model = model.section_under(part) or model
    return model


def _expected(detail: Any) -> str:
    if detail["type"] in ("too_short", "too_long"):
        most = detail["type"] == "too_long"
        bound = detail["ctx"]["max_length" if most else "min_length"]
        entries = "entry" if bound == 1 else "entries"
        return f"at {'most' if most else 'least'} {bound} {entries} expected"
    text = detail["msg"].removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
