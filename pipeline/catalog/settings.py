"""Sections `catalog` and `split` of params.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.catalog.rows import Delimiter, TableForm
from pipeline.catalog.text_file import is_encoding
from pipeline.core.section import Section

Name = Annotated[str, Field(min_length=1)]

NULLABLE = ("group", "split", "id")
"""What columns are for that a catalogue may do without: their keys take null."""
OWN_COLUMNS = (
    *("item_id", "image", "text", "class_path", "split", "modality", "vector", "predicted_path"),
    *("score", "x", "y", "distance", "words", "class_nodes", "__base", "__pictures"),
)
"""Columns that files and results have anyway, so that nothing kept may be called like them."""


class ColumnSettings(Section):
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
    id: Name | None
    """Rows that share a value here are one item with several pictures; null: each is one."""
    separator_images: Name | None
    """What stands between several pictures in one cell; null: a cell is one name."""
    keep: list[Name]
    """Columns that are carried along with the items: to search by, and to show."""

    @field_validator("keep")
    @classmethod
    def _check_names(cls, keep: list[str]) -> list[str]:
        if again := next((name for name in keep if keep.count(name) > 1), None):
            raise ValueError(f"{again!r} is there twice")
        if own := next((name for name in keep if name in OWN_COLUMNS), None):
            raise ValueError(
                f"{own!r} is what a column of our own is called; rename yours in the table"
            )
        return keep

    @model_validator(mode="after")
    def _name_a_column_for_each(self) -> Self:
        first_of: dict[str, str] = {}
        for role, name in self.roles().items():
            if (first := first_of.setdefault(name, role)) != role:
                raise ValueError(
                    f"{first} and {role} both name the column {name!r}; name another for one of "
                    "them" + f", or set {role} to null" * (role in NULLABLE)
                )
        return self

    def roles(self) -> dict[str, str]:
        """Say what the items are made of: what a column is for, and its name."""
        return self.model_dump(exclude={"keep", "separator_images"}, exclude_none=True)


class PlaceholderSettings(Section):
    """Which pictures and texts stand for no item in particular, such as `no image`.

    Products are counted, not rows: variants of one product, and one product under several
    classes, are one. A product's photo is at home in one class, or in a few where it is listed
    several times; many products of five classes without a majority are no accident of filing. In
    a large catalogue a value of less than a thousandth of the items moves no figure.
    """

    share: Annotated[float, Field(gt=0.0, le=1.0)]
    """Share of the items that its products exceed; 1: look for none."""
    classes: Annotated[int, Field(ge=2)]
    """Least number of classes of these products."""
    largest: Annotated[float, Field(gt=0.0, le=1.0)]
    """Greatest share of these products in one class."""


class CatalogSettings(Section):
    """Where the catalogue is and how to read it."""

    path: Name
    """CSV, TSV, Parquet, JSON Lines or Excel file; or a folder whose folders are the classes."""
    encoding: Name
    """Of a text; UTF-8 and UTF-16 with a byte-order mark are recognised whatever it is."""
    delimiter: Delimiter
    """What stands between the columns of a text; auto: what the columns are found by."""
    sheet: Name | None
    """Sheet of an Excel file; null: the first one."""
    images: Name
    """Folder of the pictures, its URI, or a zip file of them."""
    columns: ColumnSettings
    separator: Name
    """What joins the parts of a class path."""
    label: Literal["path", "leaf", "parts"]
    """Whether a class is the whole path, its last part, or any part, so that items have several."""
    require: Literal["any", "both"]
    """Whether an item needs a picture and a text, or any of the two will do."""
    on_bad_row: Literal["skip", "error"]
    """Keep an unusable row out and list it, or stop."""
    placeholders: PlaceholderSettings

    @field_validator("encoding")
    @classmethod
    def _know_the_encoding(cls, value: str) -> str:
        if not is_encoding(value):
            raise ValueError("no known encoding, such as utf-8, or cp1252 of an Excel CSV")
        return value

    @property
    def form(self) -> TableForm:
        """How the table is written."""
        return TableForm(self.encoding, self.delimiter, self.sheet, self.separator)


class SplitSettings(Section):
    """How items are divided into train, val and test."""

    val: Annotated[float, Field(gt=0.0, lt=1.0)]
    """Share of items for validation."""
    test: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Share of items for the test; 0: none are drawn."""
    seed: Annotated[int, Field(ge=0)]
    """Another seed gives another split."""
    min_class_size: Annotated[int, Field(ge=1)]
    """Classes with fewer items stay wholly in train."""
    keep_together: list[Literal["group", "image", "text", "near_text"]]
    """Items that share any of these are never divided; near_text: texts that differ in sizes,
    colours or numbers alone."""

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> Self:
        if self.val + self.test >= 1.0:
            raise ValueError("val + test must be below 1, or nothing is left to train on")
        return self
