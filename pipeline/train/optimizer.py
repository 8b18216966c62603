"""The optimizer by its name in torch, and its learning rate at every step."""

import inspect
import math
from collections import defaultdict
from typing import Any

import torch
from torch import nn

from pipeline.core.errors import InputError
from pipeline.core.take_step import spare_the_compiler
from pipeline.train.settings import TrainSettings


def make_optimizer(model: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """Create the optimizer of torch that has the given name in lower case.

    `rmsprop` and `sgd` take the momentum; the others have their own. Weight decay is what the
    optimizer makes of it: decoupled for AdamW, added to the gradient for RMSProp and Adam. Biases
    and the logit scale are not decayed.

    Raises:
        InputError: The optimizer has no weight decay, but one was asked for.
    """
    spare_the_compiler()
    names = {name.lower(): name for name in torch.optim.__all__}
    kind: type[torch.optim.Optimizer] = getattr(torch.optim, names[settings.optimizer])
    known = inspect.signature(kind).parameters
    if settings.weight_decay > 0 and "weight_decay" not in known:
        raise InputError(f"train.weight_decay: {settings.optimizer} has none; set it to 0")
    options: dict[str, Any] = {"lr": settings.lr}
    if "momentum" in known:
        options["momentum"] = settings.momentum
    if "fused" in known:
        options["fused"] = True  # one kernel updates all weights
    groups: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            factor = settings.text_lr_factor if name.startswith("text_tower.") else 1.0
            groups[factor, settings.weight_decay if parameter.ndim >= 2 else 0.0].append(parameter)
    return kind(
        [
            {"params": group, "lr_factor": factor, "weight_decay": decay}
            for (factor, decay), group in groups.items()
        ],
        **options,
    )


def learning_rate(settings: TrainSettings, step: int, steps: int) -> float:
    """Learning rate of a step out of so many, 0 being the first one.

    In the first `warmup` steps it rises linearly; then it stays (`constant`) or falls to zero over
    the rest (`cosine`).
    """
    if step < settings.warmup:
        return settings.lr * (step + 1) / settings.warmup
    if settings.schedule == "constant":
        return settings.lr
    share = (step - settings.warmup) / (steps - settings.warmup)
    return settings.lr * 0.5 * (1 + math.cos(math.pi * share))
