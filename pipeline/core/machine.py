"""Section `machine` of params.yaml, which no stage declares in dvc.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.auto import AutoOrCount
from pipeline.core.section import Section

Kernel = Literal["auto", "reference", "tiled", "triton"]
"""What computes the graph loss; the results agree within float rounding."""


class MachineSettings(Section):
    """What suits the machine at hand and changes no result: no stage runs again for it."""

    workers: AutoOrCount
    """Threads that extract image features on a CPU; with Ray, its actors."""
    engine: Literal["local", "ray"]
    """Where pictures and texts go through their networks."""
    image_batch_size: AutoOrCount
    """Pictures per forward pass of the backbone."""
    vector_store: Annotated[str, Field(min_length=1)] | None
    """Folder or URI of the image vectors of earlier runs; null: in DVC's cache."""
    kernel: Kernel
    """What computes the graph loss; the results agree within float rounding."""
    checkpoint_every: Annotated[int, Field(ge=0)]
    """Steps between checkpoints of a training run; 0: not by steps."""
    checkpoint_minutes: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Minutes between checkpoints of a training run; 0: not by time."""
