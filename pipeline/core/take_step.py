"""Steps of torch's optimizers, without torch's compiler.

An optimizer imports the compiler, which takes longer than the rest of torch, to tell it what it
must not compile; no optimizer is compiled here.
"""

import inspect
from collections.abc import Callable

import torch


def spare_the_compiler() -> None:
    """Let the optimizers that are made from here on do without, where `take_step` is used.

    Where torch does this another way, nothing is changed.
    """
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        method = getattr(getattr(torch.optim.Optimizer, name), "__wrapped__", None)
        if method is not None:
            method.__dynamo_disable = method


def take_step(
    optimizer: torch.optim.Optimizer, closure: Callable[[], torch.Tensor] | None = None
) -> None:
    """Do what `optimizer.step(closure)` does."""
    with torch.no_grad():
        inspect.unwrap(type(optimizer).step)(optimizer, closure)
