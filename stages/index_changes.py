"""What `huse index` does beside its stage: the index between one `dvc repro` and the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import (
    ImageColumn,
    IndexPath,
    ModelPath,
    PicturesPath,
    RejectedPath,
    SeparatorImages,
    TableDelimiter,
    TableEncoding,
    TablePath,
    TableSheet,
    TextColumn,
    beside,
    rejected_rows,
    warner,
)
from stages.new_items import catalog_settings, read_rows, table_form, usual_columns
from stages.paths import INDEX, MODEL

if TYPE_CHECKING:
    from pipeline.core.location import Location

Key = Annotated[
    str | None,
    typer.Option(
        help="Kept column that names an item, such as an article number; if not given, "
        "catalog.columns.id where that is kept, else item_id."
    ),
]
ClassesColumn = Annotated[
    str | None,
    typer.Option(
        help="Column of class paths; if not given, catalog.columns.classes of params.yaml, or "
        "classes. A row without one gets the most probable class."
    ),
]


def _putting(what: str, *, replace: bool) -> Callable[..., None]:
    """Make a command that puts the rows of a table into the index; `what` is its help."""

    def put(
        table: TablePath,
        images: PicturesPath = None,
        key: Key = None,
        rejected: RejectedPath = None,
        image_column: ImageColumn = None,
        text_column: TextColumn = None,
        separator_images: SeparatorImages = None,
        classes_column: ClassesColumn = None,
        encoding: TableEncoding = None,
        delimiter: TableDelimiter = "auto",
        sheet: TableSheet = None,
        model: ModelPath = MODEL,
        index: IndexPath = INDEX,
    ) -> None:
        from pipeline.index.changes import changing
        from pipeline.use.api import Huse
        from pipeline.use.index_changes import put_items, read_state
        from pipeline.use.index_items import IndexItems, make_items, read_values
        from pipeline.use.index_update import Update, require_key
        from pipeline.use.new_items import BadRow, refuse_if_empty, rejected_writer

        listed = rejected or beside(table.with_suffix(".csv"))
        huse = Huse.load(model, index, warn=warner("index"))
        columns = {"image": image_column, "text": text_column, "classes": classes_column}
        usual = {"image": "image", "text": "text", "classes": "classes"} | usual_columns()
        given = {role: name for role, name in columns.items() if name is not None}
        bad: list[BadRow] = []
        with rejected_writer(listed) as list_rejected, changing(index):
            state = read_state(index, model, _key(key))
            said = read_values(
                table,
                usual | given,
                state.attributes.schema,
                table_form(encoding, delimiter, sheet),
            )
            for role in given:
                if role not in said.has:
                    raise InputError(f"--{role}-column: no column {given[role]!r} in {table}")
            partly = Update(state, said, table) if replace else None
            # What the table says of no picture is of the catalogue's.
            pictures = _catalog_images() if partly and "image" not in said.has else images
            made = IndexItems()
            if partly is None or partly.has_content:
                batches = read_rows(
                    "index",
                    huse,
                    table,
                    pictures,
                    image_column=image_column,
                    text_column=text_column,
                    separator_images=separator_images,
                    encoding=encoding,
                    delimiter=delimiter,
                    sheet=sheet,
                    complete=partly.complete if partly else None,
                )
                shown = _shown(table, pictures)
                made = make_items(huse, batches, said, state.kind, picture=shown, reject=bad.extend)
            else:
                bad += partly.change_all()
            # Rows that are changed in place have one, whatever the others have.
            if state.key is not None and key is not None and not (partly and partly.names_items):
                require_key(made, state.key, table)
            if partly is None:
                done = put_items(state, made, replacing=False, reject=bad.extend)
            else:
                partly.fill(made)
                values = partly.changed
                done = put_items(state, made, replacing=True, reject=bad.extend, changed=values)
            list_rejected(sorted(bad))
        number = len(values) if partly else 0
        refuse_if_empty(done.items + number, listed, table)
        said_of = f"{counted(done.items - done.replacing, 'item')} added"
        if replace:
            said_of += f", {done.replacing} replaced"
        if number:
            said_of += f", {number} changed in place"
        if done.guessed:
            said_of += (
                f", {done.guessed} of them in the most probable class, as their rows have none"
            )
        typer.echo(f"index: {said_of}; {rejected_rows(len(bad), listed)}")

    put.__doc__ = what
    return put


add = _putting("Make new items searchable, without training.", replace=False)
update = _putting(
    "Change what a table says of the items of the same key, and add the others.", replace=True
)


def remove(
    ids: Annotated[
        Path,
        typer.Argument(help="Text file with an id, or a key, on every line.", show_default=False),
    ],
    key: Key = None,
    model: ModelPath = MODEL,
    index: IndexPath = INDEX,
) -> None:
    """Take items out of the index, whether they were added or are of the catalogue."""
    from pipeline.index.changes import changing
    from pipeline.use.index_changes import read_state, remove_items

    names = _read_names(ids)
    with changing(index):
        state = read_state(index, model, _key(key))
        what = "item_id" if state.key is None else state.key
        removed, unknown = remove_items(state, names)
    if not removed:
        raise InputError(f"{ids}: none of {counted(len(names), 'line')} is the {what} of an item")
    if unknown:
        warner("index")(
            f"{counted(len(unknown), 'line')} of {ids}, such as {unknown[0]!r}, "
            f"{'is' if len(unknown) == 1 else 'are'} the {what} of no item"
        )
    typer.echo(f"index: {counted(removed, 'item')} removed")


def refresh(model: ModelPath = MODEL, index: IndexPath = INDEX) -> None:
    """Embed added items again, by a model that was trained since."""
    from pipeline.index.changes import changing
    from pipeline.use.api import Huse
    from pipeline.use.index_changes import embed_again, read_state

    huse = Huse.load(model, index, warn=warner("index"))
    with changing(index):
        number = embed_again(huse, read_state(index, model, None, other_model=True))
    typer.echo(f"index: {counted(number, 'added item')} embedded again")


def compact(model: ModelPath = MODEL, index: IndexPath = INDEX) -> None:
    """Put all changes together in one, and forget those that no longer count."""
    from pipeline.index.changes import changing
    from pipeline.index.standing import describe
    from pipeline.use.index_changes import put_together, read_state

    with changing(index):
        state = read_state(index, model, None)
        put_together(state)
    typer.echo(f"index: {describe(state.standing, state.item_ids)}")


def changes(model: ModelPath = MODEL, index: IndexPath = INDEX) -> None:
    """Say what was added to the index and removed from it since it was made."""
    from pipeline.index.standing import describe
    from pipeline.use.index_changes import read_state

    state = read_state(index, model, None)
    typer.echo(f"index: {describe(state.standing, state.item_ids)}")


COMMANDS = {
    "add": add,
    "update": update,
    "remove": remove,
    "refresh": refresh,
    "compact": compact,
    "changes": changes,
}


def _key(key: str | None) -> str | None:
    """The attribute that names an item: the user's, or the catalogue's if the index knows it."""
    if key is not None:
        return None if key == "item_id" else key
    catalog = catalog_settings()
    columns = None if catalog is None else catalog.columns
    return columns.id if columns is not None and columns.id in columns.keep else None


def _catalog_images() -> str | None:
    catalog = catalog_settings()
    return None if catalog is None else catalog.images


def _shown(table: Path, images: str | None) -> Callable[[str], str]:
    """Make what turns a picture's path into one of the catalogue's folder; elsewhere it is empty.

    A path of this machine is nobody else's business, and a page shows that folder alone.
    """
    from pipeline.core.location import locate

    folder = table.parent if images is None else locate(images, "--images")
    catalog = catalog_settings()
    if catalog is not None and _same(folder, locate(catalog.images, "catalog.images")):
        return lambda name: name
    return lambda name: ""


def _same(one: Location, other: Location) -> bool:
    if isinstance(one, Path) and isinstance(other, Path):
        return one.resolve() == other.resolve()
    return str(one) == str(other)


def _read_names(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{path}: cannot be read ({reason})") from error
    names = [name for line in lines if (name := line.strip())]
    if not names:
        raise InputError(f"{path}: no ids in it; write one on every line")
    return names
