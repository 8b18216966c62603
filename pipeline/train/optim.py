"""Optimizer and learning rate from plain parameters."""

import inspect
import math
from collections import defaultdict

import torch
from torch import nn

from pipeline.core.errors import InputError
from pipeline.train.plan import Plan

# LBFGS evaluates the loss several times per step, SparseAdam takes sparse gradients and Muon
# matrices alone.
UNUSABLE = {"Optimizer", "LBFGS", "SparseAdam", "Muon"}

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    name.lower(): getattr(torch.optim, name)
    for name in torch.optim.__all__
    if inspect.isclass(getattr(torch.optim, name, None)) and name not in UNUSABLE
}


def make_optimizer(model: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """Create the optimizer.

    `rmsprop` and `sgd` take the momentum; the others have their own. Weight decay is what the
    optimizer makes of it: decoupled for AdamW, added to the gradient for RMSProp and Adam. Biases
    and the logit scale are not decayed. One kernel updates all weights where torch has one.

    Args:
        model: Whose parameters to train.
        plan: Name and numbers.

    Returns:
        The optimizer.

    Raises:
        InputError: The optimizer has no weight decay, but one was asked for.
        ValueError: The name is unknown.
    """
    if plan.optimizer not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {plan.optimizer!r}; known: {', '.join(OPTIMIZERS)}")
    kind = OPTIMIZERS[plan.optimizer]
    known = inspect.signature(kind).parameters
    if plan.weight_decay > 0 and "weight_decay" not in known:
        raise InputError(f"train.weight_decay: {plan.optimizer} has none; set it to 0")
    options: dict[str, float | bool] = {"lr": plan.lr}
    if "momentum" in known:
        options["momentum"] = plan.momentum
    if "fused" in known:
        options["fused"] = True
    groups: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            factor = plan.text_lr_factor if name.startswith("text_tower.") else 1.0
            groups[factor, plan.weight_decay if parameter.ndim >= 2 else 0.0].append(parameter)
    return kind(
        [
            {
                "params": parameters,
                "lr": plan.lr * factor,
                "lr_factor": factor,
                "weight_decay": decay,
            }
            for (factor, decay), parameters in groups.items()
        ],
        **options,  # type: ignore[arg-type]
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of the coming step.

    Args:
        optimizer: What `make_optimizer` returned.
        rate: Of the image tower and the classifier; the text tower's is its factor times as high.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_factor"]


def learning_rate(plan: Plan, step: int) -> float:
    """Learning rate of a step.

    Args:
        plan: Rate, schedule and number of steps. In the first `warmup` steps the rate rises
            linearly; then it stays (`constant`) or falls to zero over the rest (`cosine`).
        step: 0 for the first one.

    Returns:
        The rate.

    Raises:
        ValueError: The schedule is unknown.
    """
    if step < plan.warmup:
        return plan.lr * (step + 1) / plan.warmup
    if plan.schedule == "constant":
        return plan.lr
    if plan.schedule == "cosine":
        share = (step - plan.warmup) / (plan.steps - plan.warmup)
        return plan.lr * 0.5 * (1 + math.cos(math.pi * share))
    raise ValueError(f"unknown schedule {plan.schedule!r}; known: constant, cosine")
