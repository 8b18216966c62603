"""What lies in the stores of vectors and beside them, for people who want to see or remove it."""

import shutil
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa

from pipeline.core.errors import InputError
from pipeline.core.location import Location, RemotePath
from pipeline.core.vector_store import RECIPE_FILE, RECIPE_FOLDER, SUFFIX

OURS = (SUFFIX, ".json", ".onnx", ".weights", ".safetensors", ".tmp")
"""How files of ours end."""


class StoredRecipe(NamedTuple):
    """A recipe's folder, or a file beside such folders."""

    recipe: str
    """As people call it; of earlier versions the folder's name."""
    vectors: int | None
    """None on another filesystem: the files would have to be fetched to be counted."""
    size: int
    """In bytes."""
    used: float
    """When last, in seconds since 1970."""
    place: Location


def stored_recipes(home: Location, *, shared: bool = False) -> list[StoredRecipe]:
    """List what a store holds, the recipe used last first.

    Args:
        home: Folder of all recipes, which need not be there.
        shared: Whether the user chose the folder. Other things may lie in it, which are nobody's to
            show or remove: listed are folders with the name of a recipe and nothing else in them.

    Raises:
        InputError: Another filesystem does not answer.
    """
    try:
        states = home.list_below()[0] if isinstance(home, RemotePath) else _files_below(home)
    except FileNotFoundError:
        return []
    by_entry: dict[str, dict[str, tuple[int, int] | None]] = {}
    for name, state in states.items():
        by_entry.setdefault(name.split("/")[0], {})[name] = state
    found = [
        _stored(home, entry, files)
        for entry, files in by_entry.items()
        if all(map(_is_ours, files)) and (RECIPE_FOLDER.fullmatch(entry) or not shared)
    ]
    return sorted(found, key=lambda one: -one.used)


def remove_recipe(place: Location) -> None:
    """Remove a recipe's folder or file; a run that uses it meanwhile makes its vectors again.

    Raises:
        InputError: Something cannot be removed, or another filesystem does not answer.
    """
    if isinstance(place, RemotePath):
        for name in place.list_below()[0]:
            with suppress(FileNotFoundError):
                (place / name).unlink()
        return
    try:
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{place}: cannot be removed ({error.strerror})") from error


def _stored(home: Location, entry: str, states: dict[str, tuple[int, int] | None]) -> StoredRecipe:
    noted = f"{entry}/{RECIPE_FILE}"
    known = {name: state for name, state in states.items() if state is not None}
    # Old vectors are used as often as new ones are made: the note's time tells, not theirs.
    times = [known[noted][1]] if noted in known else [modified for _, modified in known.values()]
    return StoredRecipe(
        (home / noted).read_bytes().decode().strip() if noted in states else entry,
        sum(_rows(home / name) for name in states) if isinstance(home, Path) else None,
        sum(size for size, _ in known.values()),
        max(times, default=0) / 1e9,
        home / entry,
    )


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name == RECIPE_FILE or path.suffix in OURS


def _rows(path: Path) -> int:
    if path.suffix == SUFFIX:
        # Not compared with its name: that would read all of it.
        with suppress(OSError, pa.ArrowInvalid), pa.memory_map(str(path)) as source:
            return int(pa.ipc.open_file(source).read_all().num_rows)
    return 0


def _files_below(home: Path) -> dict[str, tuple[int, int] | None]:
    paths = {path.relative_to(home).as_posix(): path for path in home.rglob("*") if path.is_file()}
    states = {name: path.stat() for name, path in paths.items()}
    return {name: (state.st_size, state.st_mtime_ns) for name, state in states.items()}
