"""A text, a picture or both -> the nearest items of the catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.core.errors import InputError
from stages.command import IndexPath, ModelPath, run, shortened, warner
from stages.paths import INDEX, MODEL

if TYPE_CHECKING:
    from pipeline.index.hit import Hit


def main(
    text: Annotated[str | None, typer.Argument(help="What to look for, in words.")] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option(help="A picture to look for the like of; several are of one item."),
    ] = None,
    both: Annotated[
        bool, typer.Option("--both", help="Insist on a text and a picture, searched as one item.")
    ] = False,
    within: Annotated[
        str | None,
        typer.Option(
            "--in",
            help="First part or parts of a class path, each in full, as in 'Animals & Nature'; "
            "only items there are found. Of an added class: also what is probably of it.",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            help="What has to be true of an item, by columns of catalog.columns.keep, as in "
            "\"price < 50 and brand == 'Nike'\".",
        ),
    ] = None,
    mode: Annotated[
        Literal["hybrid", "dense", "words"] | None,
        typer.Option(
            help="What a text is searched by: its embedding and its words, the embedding alone, "
            "or words alone; index.words.mode if not given."
        ),
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="How many items to find.")] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON in place of a table.")
    ] = False,
    model: ModelPath = MODEL,
    index: IndexPath = INDEX,
) -> None:
    """Search the catalogue by a text, by a picture, or by both together."""
    if text is None and not image:
        raise InputError('search: give a text, as in huse search "sad cat", or --image, or both')
    if both and (text is None or not image):
        raise InputError(f"search: --both: the {'text' if text is None else 'picture'} is missing")
    if mode == "words" and text is None:
        raise InputError("search: --mode words: the text is missing")
    from pipeline.features.attributes import json_value
    from pipeline.use.api import Huse

    warn = warner("search")
    huse = Huse.load(model, index, warn=warn)
    embeddings = huse.embed([image or None], [text])
    hits = huse.search(embeddings, k, within, mode, where)[0]
    nearness = huse.near(embeddings)[0]
    if as_json:
        found = {**nearness._asdict(), "hits": [hit.as_dict() for hit in hits]}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False, default=json_value))
    else:
        if warning := nearness.warning():
            typer.echo(warning)
        _print_table(hits)


def _print_table(hits: list[Hit]) -> None:
    from pipeline.features.attributes import show_value

    # A line per attribute: columns of their own would be too narrow to read.
    kept = ["attributes"] if hits and hits[0].attributes else []
    grid = Table("distance", "words", "text", "class", "picture", *kept, box=SIMPLE)
    for hit in hits:
        words = "" if hit.words is None else f"{hit.words:.2f}"
        said = "\n".join(
            f"{name}: {shortened(show_value(value))}"
            for name, value in hit.attributes.items()
            if value is not None
        )
        filed = hit.class_path
        if hit.likely_path is not None:
            filed += f"\n(predicted: {hit.likely_path})"
        cells = (f"{hit.distance:.3f}", words, shortened(hit.text), filed, hit.image)
        grid.add_row(*(Text(cell) for cell in (*cells, said)[: len(grid.columns)]))
    Console().print(grid)


if __name__ == "__main__":
    run(main)
