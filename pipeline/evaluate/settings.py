"""Section `evaluate` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.section import Section

Cutoffs = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]


class EvaluateSettings(Section):
    """What is measured on the test split."""

    k: Cutoffs
    """K of R@K."""
    hp_k: Cutoffs
    """K of HP@K."""
    queries: Annotated[int, Field(ge=100)]
    """Test items that retrieval is measured with, a random sample of more; all are candidates."""
    baseline: Annotated[int, Field(ge=0)]
    """Training items that logistic regression is fitted on, a random sample of more; 0 for none."""
    projection: Literal["pacmap", "pca"]
    """How the map in the plane (x and y of the embeddings) is made."""
    confusions: Annotated[int, Field(ge=2, le=100)]
    """Classes in the leaf-level confusion plot: those confused most."""
    gallery: Annotated[int, Field(ge=1, le=12)]
    """Random queries per direction that the report shows, and as many of the worst. More would
    take the page beyond 10 MB."""
    seed: Annotated[int, Field(ge=0)]
    """Which queries are drawn and which the report shows, and the layout of the map. Where all test
    items are queries, no figure depends on it."""
