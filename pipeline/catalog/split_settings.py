"""Section `split` of params.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.core.section import Section


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
