"""Section `train` of params.yaml."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.core.auto import AutoOrCount
from pipeline.core.section import Section

Count = Annotated[int, Field(ge=1)]
CountOrNone = Annotated[int, Field(ge=0)]

Optimizer = Literal[
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "asgd",
    "nadam",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
]


class TrainSettings(Section):
    """How the towers are trained."""

    moved: ClassVar[Mapping[str, str]] = {
        "checkpoint_every": "machine.checkpoint_every",
        "checkpoint_minutes": "machine.checkpoint_minutes",
    }
    optimizer: Optimizer
    """One of torch's; RMSProp is the paper's."""
    lr: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    """Highest learning rate."""
    text_lr_factor: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    """The text tower's learning rate, as a multiple of lr."""
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Momentum of RMSProp and SGD; the others have their own."""
    weight_decay: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Weight decay of weight matrices."""
    schedule: Literal["constant", "cosine"]
    """Learning rate over the steps after the warm-up."""
    warmup: CountOrNone
    """Steps over which the learning rate rises from zero."""
    gradient_clip: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Greatest norm of the gradient; 0 for no limit."""
    batch_size: Count
    """Items per step, over all processes; each gives an image and a text."""
    steps: AutoOrCount
    """Optimizer steps; auto: by the number of training items."""
    validate_every: AutoOrCount
    """Steps between validations; auto: 20 in all."""
    monitor: Literal["score", "r_at_1", "accuracy_fused"]
    """Validation metric that chooses the weights to keep."""
    tolerance: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Standard errors below the best validation within which later weights are kept."""
    patience: CountOrNone
    """Validations without a better one after which training stops; 0 never stops early."""
    seed: Annotated[int, Field(ge=0)]
    """Weights, batches, views and dropout follow from it."""
    device: Literal["auto", "cpu", "cuda"]
    """Where the towers are trained."""
    precision: Literal["auto", "fp32", "bf16"]
    """Of the towers' matrix products; auto: bf16 on CUDA devices that have it, else fp32."""
    compile: bool
    """Whether torch.compile makes the towers' forward and backward pass."""
    max_memory: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    """GiB of training features kept on the device; larger catalogues are streamed."""
