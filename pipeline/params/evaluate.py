"""Section `evaluate` of params.yaml."""

from typing import Annotated

from pydantic import Field

from pipeline.params.section import Section

Cutoffs = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]


class EvaluateParams(Section):
    """What is measured on the test split."""

    k: Cutoffs
    """K of R@K."""
    hp_k: Cutoffs
    """K of HP@K."""
    confusions: Annotated[int, Field(ge=2)]
    """Classes in the leaf-level confusion plot: those confused most."""
    gallery: Annotated[int, Field(ge=1)]
    """Queries per direction that the report shows."""
    seed: Annotated[int, Field(ge=0)]
    """Which queries the report shows."""
