"""Section `catalog` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section

Name = Annotated[str, Field(min_length=1)]


class ColumnParams(Section):
    """Which column of the user's table holds what."""

    image: Name
    """Path of the picture."""
    text: Name
    """Title or description."""
    classes: Name
    """Class path."""
    group: Name | None
    """Value shared by variants of one product, or null."""
    split: Name | None
    """Ready-made split (train, val, test), or null."""


class CatalogParams(Section):
    """Where the catalogue is and how to read it."""

    path: Name
    """CSV, TSV, Parquet or JSON Lines file."""
    images: Name
    """Folder of the pictures, or its URI."""
    columns: ColumnParams
    separator: Name
    """What joins the parts of a class path."""
    label: Literal["path", "leaf", "parts"]
    """Whether a class is the whole path, its last part, or any part, so that items have several."""
    on_bad_row: Literal["skip", "error"]
    """Keep an unusable row out and list it, or stop."""
