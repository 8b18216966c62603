"""Section `attributes` of params.yaml."""

from typing import Annotated

from pydantic import Field, field_validator

from pipeline.core.section import Section

PROBABILITY = "_probability"
"""Ends the name of the column beside that of a predicted value."""


class AttributesSettings(Section):
    """Which kept columns are predicted of new items."""

    predict: list[Annotated[str, Field(min_length=1)]]
    """Names of columns that `catalog.columns.keep` has; empty: none."""
    fewest: Annotated[int, Field(ge=2)]
    """Training items that a value needs to be predicted."""

    @field_validator("predict")
    @classmethod
    def _name_each_once(cls, predict: list[str]) -> list[str]:
        if again := next((name for name in predict if predict.count(name) > 1), None):
            raise ValueError(f"{again!r} is there twice")
        if probability := next(
            (name for name in predict if f"{name}{PROBABILITY}" in predict), None
        ):
            raise ValueError(
                f"{probability + PROBABILITY!r} is what results call the probability of "
                f"{probability!r}; rename yours in the table"
            )
        return predict
