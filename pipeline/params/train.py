"""Section `train` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section

Count = Annotated[int, Field(ge=1)]


class TrainParams(Section):
    """How the towers are trained."""

    optimizer: Literal["adamw", "rmsprop"]
    """RMSProp is the paper's."""
    lr: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    """Learning rate."""
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Momentum of RMSProp; AdamW has its own."""
    weight_decay: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Weight decay."""
    schedule: Literal["constant", "cosine"]
    """Learning rate over the steps."""
    batch_size: Count
    """Items per step; each gives an image and a text."""
    steps: Count
    """Optimizer steps."""
    validate_every: Count
    """Steps between validations."""
    monitor: Literal["score", "r_at_1", "accuracy_fused"]
    """Validation metric that chooses the weights to keep."""
    seed: Annotated[int, Field(ge=0)]
    """Weights, batches and dropout follow from it."""
    device: Literal["auto", "cpu", "cuda"]
    """Where the towers are trained."""
