"""A class that did not exist at training -> a file beside the model, which classifying reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import (
    ImageColumn,
    ModelPath,
    PicturesPath,
    SeparatorImages,
    TextColumn,
    run,
    warner,
)
from stages.new_items import read_rows
from stages.paths import EMBEDDINGS, MODEL

if TYPE_CHECKING:
    from pipeline.use.api import Huse
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
    embeddings: Annotated[
        Path,
        typer.Option(
            help="Embeddings that the evaluate stage wrote, to find the items of the catalogue "
            "that are probably of the class."
        ),
    ] = EMBEDDINGS,
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
            known_by = _known_by(one.place.pictures, one.place.texts)
            typer.echo(f"{one.path}  {known_by}; {_likely(len(huse.known.likely[one.path]))}")
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
        "--embeddings": None if embeddings == EMBEDDINGS else embeddings,
    }
    words = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
    again = shlex.join(["huse", "add-class", path, *words])
    found = _of_the_model(embeddings, huse)
    added = add_class(huse, path, features, again, found)
    known_by = _known_by(added.place.pictures, added.place.texts)
    likely = "" if found is None else f"{_likely(len(added.likely))}; "
    typer.echo(
        f"add_class: {path} added, {known_by}; {likely}it is never filed unattended, as no "
        "validation item speaks for it"
    )


def _usable(batches: Iterator[ItemBatch]) -> Iterator[Features]:
    for batch in batches:
        for row in batch.rejected:
            typer.echo(f"add_class: row {row.row} rejected: {row.reason}", err=True)
        yield batch.features


def _of_the_model(embeddings: Path, huse: Huse) -> Path | None:
    """The catalogue's embeddings, if they are there and the model's own."""
    from pipeline.core.table import read_metadata

    if not embeddings.is_file():
        trouble = "not found"
    elif read_metadata(embeddings).get("model") != huse.description.digest:
        trouble = "made by another model"
    else:
        return embeddings
    warner("add_class")(
        f"{embeddings}: {trouble}, so nobody knows which items of the catalogue are probably of "
        "the class, and a search there finds what is filed there alone"
    )
    return None


def _likely(items: int) -> str:
    return (
        f"{counted(items, 'item')} of the catalogue {'is' if items == 1 else 'are'} probably of it"
    )


def _known_by(pictures: int, texts: int) -> str:
    if not (pictures or texts):
        return "known by its name alone"
    return f"known by its name, {counted(pictures, 'picture')} and {counted(texts, 'text')}"


if __name__ == "__main__":
    run(main)
