"""The optimizer by its name in torch, and its learning rate at every step."""

import inspect
import math
from collections import defaultdict
from typing import Any

import torch
from torch import nn

from pipeline.core.errors import InputError
from pipeline.train.settings import TrainSettings


def make_optimizer(model: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """Create the optimizer of torch that has the given name in lower case.

    `rmsprop` and `sgd` take the momentum; the others have their own. Weight decay is what the
    optimizer makes of it: decoupled for AdamW, added to the gradient for RMSProp and Adam. Biases
    and the logit scale are not decayed.

    Raises:
        InputError: The optimizer has no weight decay, but one was asked for.
    """
    _spare_the_compiler()
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


def take_step(optimizer: torch.optim.Optimizer) -> None:
    """Do what `optimizer.step()` does, without torch's compiler; see `_spare_the_compiler`."""
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer)


def _spare_the_compiler() -> None:
    """Let optimizers be made and used without torch's compiler.

    They import it, which takes as long as the rest of torch, to tell it what it must not compile;
    an optimizer is never compiled here. Where torch does this another way, nothing is changed.
    """
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        method = getattr(getattr(torch.optim.Optimizer, name), "__wrapped__", None)
        if method is not None:
            method.__dynamo_disable = method


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
