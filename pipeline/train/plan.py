"""How to train: the numbers of section `train` that the loop reads."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Optimizer, schedule and rhythm of a training run."""

    optimizer: str
    """Name of a torch optimizer in lower case; see `pipeline.train.optim.OPTIMIZERS`."""
    lr: float
    """Highest learning rate."""
    steps: int
    """Optimizer steps."""
    validate_every: int
    """Steps between validations; the last step is always validated."""
    monitor: str
    """Key of `validate`'s result that is to be greatest."""
    text_lr_factor: float = 1.0
    """The text tower's learning rate, as a multiple of `lr`."""
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: str = "constant"
    """`constant` or `cosine`."""
    warmup: int = 0
    """Steps over which the learning rate rises from zero; fewer than `steps`."""
    gradient_clip: float = 0.0
    """Greatest norm of the gradient of all parameters together; 0 lets every gradient pass."""
    precision: str = "fp32"
    """`auto`, `fp32` or `bf16`; see `pipeline.core.precision.autocast_type`."""
    compile: bool = False
    """Whether torch.compile makes the forward and backward pass of the towers."""
    patience: int = 0
    """Stop after so many validations without a better one; 0 never stops early."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0 writes none by steps."""
    checkpoint_minutes: float = 0.0
    """Minutes from one checkpoint to the next; 0 writes none by time."""
