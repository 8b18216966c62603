"""New items as a command's options name them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

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
) -> Iterator[ItemBatch]:
    """Read the rows of a table of new items as a command's options say.

    Args:
        command: Name of the command, for warnings.
        huse: The model.
        table: The table.
        images: Folder or URI of its pictures; None: they are beside it.
        image_column: Name of a column that the user named.
        text_column: Name of a column that the user named.

    Returns:
        The rows in their order; see `read_items`. Columns that the user did not name are called as
        in the catalogue where there is a params.yaml.

    Raises:
        InputError: `images` or the section catalog of params.yaml cannot be used.
    """
    from pipeline.catalog.settings import CatalogSettings
    from pipeline.core.location import locate
    from pipeline.core.params import load_section
    from pipeline.use.new_items import read_items

    named = {"image": image_column, "text": text_column}
    usual: dict[str, str] = {}
    if PARAMS.is_file():
        columns = load_section(PARAMS, "catalog", CatalogSettings).columns
        usual = {"image": columns.image, "text": columns.text}
    return read_items(
        huse,
        table,
        table.parent if images is None else locate(images, "--images"),
        {role: name for role, name in named.items() if name is not None},
        usual=usual,
        warn=warner(command),
    )
