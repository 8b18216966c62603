"""Optimizer and learning-rate schedule from plain parameters."""

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR


def make_optimizer(
    model: nn.Module, name: str, *, lr: float, momentum: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Create the optimizer.

    Args:
        model: Whose parameters to train.
        name: `rmsprop` (the paper's) or `adamw`.
        lr: Learning rate.
        momentum: Momentum of RMSProp; AdamW keeps its usual betas.
        weight_decay: Weight decay: decoupled for AdamW, added to the gradient for RMSProp. Biases
            and the logit scale are not decayed.

    Returns:
        The optimizer.

    Raises:
        ValueError: The name is unknown.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=lr, momentum=momentum)
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=lr)
    raise ValueError(f"unknown optimizer {name!r}; known: adamw, rmsprop")


def make_schedule(optimizer: torch.optim.Optimizer, name: str, steps: int) -> LambdaLR:
    """Create the learning-rate schedule.

    Args:
        optimizer: Whose learning rate to set.
        name: `constant`, or `cosine`: from the full rate to zero over all steps.
        steps: Number of optimizer steps.

    Returns:
        The schedule; call its `step` after each optimizer step.

    Raises:
        ValueError: The name is unknown.
    """
    if name == "constant":
        return LambdaLR(optimizer, lambda step: 1.0)
    if name == "cosine":
        return LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)))
    raise ValueError(f"unknown schedule {name!r}; known: constant, cosine")
