"""Sections `catalog` and `split` of params.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.core.section import Section

Name = Annotated[str, Field(min_length=1)]


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
    """CSV, TSV, Parquet or JSON Lines file."""
    images: Name
    """Folder of the pictures, or its URI."""
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
