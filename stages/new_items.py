"""New items as a command's options name them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import InputError
from stages.command import warner
from stages.paths import PARAMS

if TYPE_CHECKING:
    from pipeline.use.api import Huse
    from pipeline.use.new_items import ItemBatch


def read_rows(
    command: str,
    huse: Huse,
    table: Path,
    images: str | None,
    *,
    image_column: str | None,
    text_column: str | None,
    encoding: str | None = None,
    delimiter: str = "auto",
    sheet: str | None = None,
) -> Iterator[ItemBatch]:
    """Read the rows of a table of new items as a command's options say.

    Args:
        command: Name of the command, for warnings.
        huse: The model.
        table: The table.
        images: Folder or URI of its pictures; None: they are beside it.
        image_column: Name of a column that the user named.
        text_column: Name of a column that the user named.
        encoding: Of a text; None: as the catalogue's where there is a params.yaml.
        delimiter: Of a text, or auto.
        sheet: Of an Excel file; None: the first one.

    Returns:
        The rows in their order; see `read_items`. Columns that the user did not name are called as
        in the catalogue where there is a params.yaml.

    Raises:
        InputError: `images`, `encoding`, `delimiter` or the section catalog of params.yaml cannot
            be used.
    """
    from pipeline.catalog.rows import DELIMITERS, TableForm
    from pipeline.catalog.settings import CatalogSettings
    from pipeline.catalog.text_file import is_encoding
    from pipeline.core.location import locate
    from pipeline.core.params import load_section
    from pipeline.use.new_items import read_items

    if delimiter not in ("auto", *DELIMITERS):
        raise InputError(f"--delimiter: {delimiter!r} is none of auto , ; | and a tab")
    if encoding is not None and not is_encoding(encoding):
        raise InputError(f"--encoding: {encoding} is no known encoding, such as utf-8 or cp1252")
    form = TableForm(encoding or TableForm().encoding, delimiter, sheet)
    named = {"image": image_column, "text": text_column}
    usual: dict[str, str] = {}
    if PARAMS.is_file():
        catalog = load_section(PARAMS, "catalog", CatalogSettings)
        columns = catalog.columns
        usual = {"image": columns.image, "text": columns.text}
        form = form._replace(encoding=encoding or catalog.encoding)
    return read_items(
        huse,
        table,
        table.parent if images is None else locate(images, "--images"),
        {role: name for role, name in named.items() if name is not None},
        usual=usual,
        form=form,
        warn=warner(command),
    )
