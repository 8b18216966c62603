"""Section `classify` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.section import Section

Rule = Literal["probable", "least_cost", "hf_beta"]


class ClassifySettings(Section):
    """What becomes of the probabilities of an item's classes."""

    precision: Annotated[float, Field(gt=0.0, lt=1.0)]
    """Share of the filed items that shall be filed rightly, at every level of the tree."""
    confidence: Annotated[float, Field(ge=0.5, lt=1.0)]
    """Probability, over validation splits, that the thresholds keep it."""
    decide: Rule
    """Which node an item is given where nothing is asked of its precision."""
    beta: Annotated[float, Field(gt=0.0, le=100.0)]
    """Of rule `hf_beta`: how much more recall, which wants deep nodes, counts than precision."""
