"""Section `loss` of params.yaml."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.core.section import Section

Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]

Margin = Annotated[float, Field(gt=0.0, le=2.0)]


class LossParams(Section):
    """What is minimised: alpha * L_class + beta * L_graph + gamma * L_gap (HUSE section 3)."""

    moved: ClassVar[Mapping[str, str]] = {"kernel": "machine.kernel"}
    objective: Literal["adamine", "cme", "devise", "hie", "huse", "huse_p", "separate", "triplet"]
    """The training objective."""
    alpha: Weight
    """Weight of the classification loss."""
    beta: Weight
    """Weight of the semantic graph loss; of the rivals' projection or pair loss."""
    gamma: Weight
    """Weight of the cross-modal gap loss."""
    margin: Margin
    """zeta: pairs count in the graph loss where both distances are below it."""
    relaxation: Literal["none", "paper", "hinge"]
    """Which pairs the graph loss keeps: eq. 9, eq. 10-11, or the sentence above eq. 10."""
    precision: Literal["fp32", "bf16"]
    """Of the graph loss's matrix products."""
    triplet_margin: Margin
    """Objective triplet: how much farther than a positive a negative is asked to be."""
    cme_margin: Margin
    """Objective cme: distance from which an unmatched pair is left alone."""
    adamine_margin: Margin
    """Objective adamine: as triplet_margin, on both levels."""
    adamine_class_weight: Weight
    """Objective adamine: weight of the class-level triplets."""
