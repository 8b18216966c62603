"""New items as a command's options name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import InputError
from stages.command import warner
from stages.paths import PARAMS

if TYPE_CHECKING:
    from pipeline.catalog.rows import TableForm
    from pipeline.catalog.settings import CatalogSettings
    from pipeline.use.api import Huse
    from pipeline.use.new_items import ItemBatch, NewItem


def read_rows(
    command: str,
    huse: Huse,
    table: Path,
    images: str | None,
    *,
    image_column: str | None,
    text_column: str | None,
    separator_images: str | None = None,
    encoding: str | None = None,
    delimiter: str = "auto",
    sheet: str | None = None,
    complete: Callable[[NewItem], NewItem | None] | None = None,
) -> Iterator[ItemBatch]:
    """Read the rows of a table of new items as a command's options say.

    Args:
        command: Name of the command, for warnings.
        huse: The model.
        table: The table.
        images: Folder or URI of its pictures; None: they are beside it.
        image_column: Name of a column that the user named.
        text_column: Name of a column that the user named.
        separator_images: Between several pictures in a cell; None: as in the catalogue.
        encoding: Of a text; None: as the catalogue's where there is a params.yaml.
        delimiter: Of a text, or auto.
        sheet: Of an Excel file; None: the first one.
        complete: See `read_items`.

    Returns:
        The rows in their order; see `read_items`. Columns that the user did not name are called as
        in the catalogue where there is a params.yaml.

    Raises:
        InputError: `images`, `encoding`, `delimiter` or the section catalog of params.yaml cannot
            be used.
    """
    from pipeline.core.location import locate
    from pipeline.use.new_items import read_items

    named = {"image": image_column, "text": text_column}
    return read_items(
        huse,
        table,
        table.parent if images is None else locate(images, "--images"),
        {role: name for role, name in named.items() if name is not None},
        usual={role: name for role, name in usual_columns().items() if role != "classes"},
        separator_images=separator_images or usual_separator(),
        form=table_form(encoding, delimiter, sheet),
        warn=warner(command),
        complete=complete,
    )


def recorder(
    huse: Huse, table: Path, log: Path | None, logged_at: datetime | None
) -> Callable[..., None] | None:
    """Make what records batches of a table of new items.

    Args:
        huse: The model.
        table: The table, whose name is kept with them.
        log: Folder of the log; None: nothing is recorded.
        logged_at: When the items were served, in UTC; now if not given.

    Returns:
        What `classify_table` and `write_embedded` take.
    """
    if log is None:
        return None
    from pipeline.drift.batch_log import record_batch

    when = (logged_at or datetime.now(UTC)).replace(tzinfo=UTC)

    def record(batch: ItemBatch, **known: Any) -> None:
        features = known.pop("embeddings", batch.features)
        record_batch(log, huse, features, batch.items, when=when, source=table.name, **known)

    return record


def catalog_settings() -> CatalogSettings | None:
    """Section catalog of params.yaml; None where there is no such file."""
    from pipeline.catalog.settings import CatalogSettings
    from pipeline.core.params import load_section

    return load_section(PARAMS, "catalog", CatalogSettings) if PARAMS.is_file() else None


def usual_columns() -> dict[str, str]:
    """What the catalogue calls the columns of image, text and classes; empty without one."""
    catalog = catalog_settings()
    if catalog is None:
        return {}
    columns = catalog.columns
    return {"image": columns.image, "text": columns.text, "classes": columns.classes}


def usual_separator() -> str | None:
    """What stands between several pictures in a cell of the catalogue; None without one."""
    catalog = catalog_settings()
    return None if catalog is None else catalog.columns.separator_images


def table_form(encoding: str | None, delimiter: str, sheet: str | None) -> TableForm:
    """Say how a table is written, as options have it; see `read_rows`.

    Raises:
        InputError: There is no such encoding or delimiter.
    """
    from pipeline.catalog.rows import DELIMITERS, TableForm
    from pipeline.catalog.text_file import is_encoding

    if delimiter not in ("auto", *DELIMITERS):
        raise InputError(f"--delimiter: {delimiter!r} is none of auto , ; | and a tab")
    if encoding is not None and not is_encoding(encoding):
        raise InputError(f"--encoding: {encoding} is no known encoding, such as utf-8 or cp1252")
    catalog = catalog_settings() if encoding is None else None
    usual = TableForm().encoding if catalog is None else catalog.encoding
    return TableForm(encoding or usual, delimiter, sheet)
