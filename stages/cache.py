"""What is stored between runs, shown and removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import ParamsPath, run
from stages.dvc_cache import digest_cache, vector_cache
from stages.paths import GRAPH, IMAGE_FEATURES, PARAMS, PICTURES, TEXT_BLOCKS

if TYPE_CHECKING:
    from pipeline.core.location import Location
    from pipeline.core.machine import MachineSettings
    from pipeline.core.stored_recipes import StoredRecipe


SHARED = "shared"
KINDS = ("image", "text", "word", "digest", SHARED)
_DAY = 24 * 60 * 60


def main(
    params: ParamsPath = PARAMS,
    empty: Annotated[bool, typer.Option("--empty", help="Remove what is listed.")] = False,
    kind: Annotated[
        str | None, typer.Option(help=f"List only one of {', '.join(KINDS)}.", show_default=False)
    ] = None,
    older_than: Annotated[
        float, typer.Option(metavar="DAYS", help="List only what was not used for so long.")
    ] = 0.0,
) -> None:
    """Show what is stored between runs, such as image vectors, or remove it with --empty.

    Whatever is removed is made again by the stage that needs it. What machine.vector_store names
    may serve other machines and is removed only with --kind shared.
    """
    from pipeline.core.machine import MachineSettings
    from pipeline.core.params import load_section
    from pipeline.core.stored_recipes import remove_recipe, stored_recipes

    if kind is not None and kind not in KINDS:
        raise InputError(f"--kind: got {kind!r}; known: {', '.join(KINDS)}")
    latest = time.time() - _DAY * older_than
    listed = [
        (name, stored)
        for name, home in _stores(load_section(params, "machine", MachineSettings))
        if kind in (None, name)
        for stored in stored_recipes(home, shared=name == SHARED)
        if stored.used <= latest or not older_than
    ]
    for name, stored in listed:
        typer.echo(_line(name, stored))
    if empty:
        listed = [(name, stored) for name, stored in listed if kind or name != SHARED]
        for _, stored in listed:
            remove_recipe(stored.place)
    size = sum(stored.size for _, stored in listed) / 1e6
    done = "removed" if empty else "stored"
    entries = "1 entry" if len(listed) == 1 else f"{len(listed) or 'no'} entries"
    typer.echo(f"cache: {done} {entries}, {size:.1f} MB")


def _stores(machine: MachineSettings) -> Iterator[tuple[str, Location]]:
    """Kind and folder of every store; outside a DVC project they lie beside what is made."""
    from pipeline.core.location import locate

    yield "image", vector_cache("image", IMAGE_FEATURES)
    yield "text", vector_cache("text", TEXT_BLOCKS)
    yield from {("word", vector_cache("word", out)) for out in (TEXT_BLOCKS, GRAPH)}
    yield "digest", digest_cache(PICTURES)
    if machine.vector_store is not None:
        yield SHARED, locate(machine.vector_store, "machine.vector_store")


def _line(kind: str, stored: StoredRecipe) -> str:
    thing = "digest" if kind == "digest" else "vector"
    vectors = "" if not stored.vectors else counted(stored.vectors, thing)
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(stored.used))
    return f"{kind:<7} {stored.recipe:<60} {vectors:>16} {stored.size / 1e6:>9.1f} MB  used {used}"


if __name__ == "__main__":
    run(main)
