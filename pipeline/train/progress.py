"""Where a training run stands: all that changes from step to step, to and from a checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from pipeline.model.towers import Towers
from pipeline.train.batches import Batches
from pipeline.train.world import World, gather_bytes


@dataclass(frozen=True)
class Best:
    """The best validation so far."""

    step: int
    metrics: dict[str, float]
    state: dict[str, Tensor]


@dataclass
class Progress:
    """What the loop itself keeps."""

    step: int = 0
    """Steps taken."""
    best: Best | None = None
    """Of the main process; None on the others."""
    validations_since_best: int = 0
    window: dict[str, list[float]] = field(default_factory=dict)
    """Values since the last point of the training curves, by name."""
    curves: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    """All points logged so far: step, and values by name."""


def capture(
    progress: Progress,
    model: Towers,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    world: World,
) -> dict[str, Any]:
    """Put together what a checkpoint holds; every process has to call it.

    Args:
        progress: The loop's own state.
        model: In training.
        optimizer: Its optimizer.
        batches: Where the batches come from.
        world: Every process draws dropout from a generator of its own.

    Returns:
        What `restore` takes.
    """
    optimizer_state = optimizer.state_dict()
    return {
        "progress": asdict(progress),
        "model": model.state_dict(),
        "optimizer": {
            "state": {str(key): value for key, value in optimizer_state["state"].items()},
            "param_groups": optimizer_state["param_groups"],
        },
        "batches": batches.state(),
        "random": gather_bytes(torch.get_rng_state(), world),
        "random_cuda": (
            gather_bytes(torch.cuda.get_rng_state(), world) if torch.cuda.is_initialized() else []
        ),
    }


def restore(
    state: dict[str, Any],
    model: Towers,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    world: World,
) -> Progress:
    """Go back to a checkpoint.

    Args:
        state: What `capture` returned, perhaps after a journey through a file.
        model: Overwritten.
        optimizer: Overwritten.
        batches: Overwritten.
        world: Of as many processes as the one that was captured.

    Returns:
        The loop's own state.
    """
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(
        {
            "state": {int(key): value for key, value in state["optimizer"]["state"].items()},
            "param_groups": state["optimizer"]["param_groups"],
        }
    )
    batches.restore(state["batches"])
    torch.set_rng_state(state["random"][world.rank])
    if state["random_cuda"]:
        torch.cuda.set_rng_state(state["random_cuda"][world.rank])
    progress = Progress(**state["progress"])
    if state["progress"]["best"] is not None:
        progress.best = Best(**state["progress"]["best"])
    return progress
