"""A class that did not exist at training -> a file beside the model, which classifying reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.core.errors import InputError
from stages.command import (
    ImageColumn,
    ModelPath,
    PicturesPath,
    SeparatorImages,
    TextColumn,
    counted,
    run,
    warner,
)
from stages.new_items import read_rows
from stages.paths import MODEL

if TYPE_CHECKING:
    from pipeline.use.embeddings import Features
    from pipeline.use.new_items import ItemBatch


def main(
    path: Annotated[
        str | None,
        typer.Argument(
            help="Class path of the new class; if not given, added classes are listed.",
            show_default=False,
        ),
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(
            help="Table of items of the class, with pictures, texts or both; 1 to 20 are usual. If "
            "not given, the class is known by its name alone."
        ),
    ] = None,
    images: PicturesPath = None,
    remove: Annotated[
        str | None, typer.Option(help="Class path of an added class to remove.")
    ] = None,
    image_column: ImageColumn = None,
    text_column: TextColumn = None,
    separator_images: SeparatorImages = None,
    model: ModelPath = MODEL,
) -> None:
    """Add a class that did not exist at training, list the added ones, or remove one."""
    from pipeline.use.added_classes import add_class, new_path, remove_class, unknown_parent
    from pipeline.use.api import Huse
    from pipeline.use.new_items import refuse_if_empty

    if remove is not None:
        if path is not None:
            raise InputError("add_class: give a class to add, or one to --remove, not both")
        remove_class(model, remove)
        typer.echo(f"add_class: {remove} removed")
        return
    huse = Huse.load(model, warn=warner("add_class"))
    if path is None:
        if examples is not None:
            raise InputError("add_class: --examples of what? give the class path too")
        for one in huse.known.added:
            typer.echo(f"{one.path}  {_known_by(one.place.pictures, one.place.texts)}")
        if not huse.known.added:
            typer.echo("add_class: no class was added to this model")
        return
    path = new_path(huse, path)
    batches: Iterator[ItemBatch] = iter(())
    if examples is not None:
        batches = read_rows(
            "add_class",
            huse,
            examples,
            images,
            image_column=image_column,
            text_column=text_column,
            separator_images=separator_images,
        )
    features = list(_usable(batches))
    if examples is not None:
        refuse_if_empty(sum(map(len, features)), None, examples)
    if warning := unknown_parent(huse, path):
        warner("add_class")(warning)
    options = {
        "--examples": examples,
        "--images": images,
        "--image-column": image_column,
        "--text-column": text_column,
        "--separator-images": separator_images,
        "--model": None if model == MODEL else model,
    }
    words = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
    again = shlex.join(["huse", "add-class", path, *words])
    place = add_class(huse, path, features, again).place
    typer.echo(
        f"add_class: {path} added, {_known_by(place.pictures, place.texts)}; it is never filed "
        "unattended, as no validation item speaks for it"
    )


def _usable(batches: Iterator[ItemBatch]) -> Iterator[Features]:
    for batch in batches:
        for row in batch.rejected:
            typer.echo(f"add_class: row {row.row} rejected: {row.reason}", err=True)
        yield batch.features


def _known_by(pictures: int, texts: int) -> str:
    if not (pictures or texts):
        return "known by its name alone"
    return f"known by its name, {counted(pictures, 'picture')} and {counted(texts, 'text')}"


if __name__ == "__main__":
    run(main)
