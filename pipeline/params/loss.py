"""Section `loss` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section

Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class LossParams(Section):
    """What is minimised: alpha * L_class + beta * L_graph + gamma * L_gap (HUSE section 3)."""

    objective: Literal["huse"]
    """The training objective."""
    alpha: Weight
    """Weight of the classification loss."""
    beta: Weight
    """Weight of the semantic graph loss."""
    gamma: Weight
    """Weight of the cross-modal gap loss."""
    margin: Annotated[float, Field(gt=0.0, le=2.0)]
    """zeta: pairs count in the graph loss where both distances are below it."""
    relaxation: Literal["none", "paper", "hinge"]
    """Which pairs the graph loss keeps: eq. 9, eq. 10-11, or the sentence above eq. 10."""
