"""Weights of backbones: seeded random ones, and checkpoints on the user's disk."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.core.errors import InputError

SEED = 0


def random_weights(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network with random weights that are the same each time.

    The caller's random numbers are left as they were.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return build()


def load_checkpoint(network: nn.Module, path: str) -> None:
    """Fill a network from a file.

    Args:
        network: Every weight of it has to be in the file.
        path: A `.safetensors` file, or what `torch.save` wrote of a state dict (perhaps within a
            dict under `state_dict` or `model`, perhaps with `module.` before each name).

    Raises:
        InputError: The file is missing, unreadable, holds more than tensors, or does not fit.
    """
    state = _read(Path(path))
    for key in ("state_dict", "model"):
        if isinstance(state.get(key), dict):
            state = state[key]
    state = {name.removeprefix("module."): value for name, value in state.items()}
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise InputError(
            f"image.weights: {path} does not fit the backbone ({short(error)})"
        ) from error


@contextmanager
def downloading(backbone: str) -> Iterator[None]:
    """Turn what goes wrong while a library fetches weights into one line, without its log.

    Raises:
        InputError: The weights are neither in the library's cache nor reachable.
    """
    logging.disable(logging.ERROR)
    try:
        yield
    # Every library has its own errors for "no network": URLError, OSError, RuntimeError, hub ones.
    except (OSError, RuntimeError, ValueError, AssertionError) as error:
        raise InputError(
            f"image.backbone {backbone}: its weights cannot be loaded ({short(error)}); they are "
            "downloaded on first use: connect to the network once, or set image.weights to a file"
        ) from error
    finally:
        logging.disable(logging.NOTSET)


def short(error: BaseException) -> str:
    """An error's message as one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _read(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError(
            f"image.weights: {path} not found; use default, none, or the path of a checkpoint"
        ) from error
    # torch.load tells of a damaged file and of unpickling refused in any of these ways.
    except (SafetensorError, OSError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise InputError(f"image.weights: {path} is no checkpoint ({short(error)})") from error
    except Exception as error:
        if type(error).__name__ != "UnpicklingError":
            raise
        raise InputError(
            f"image.weights: {path} holds more than tensors; save its state_dict alone"
        ) from error
    if not isinstance(state, dict):
        raise InputError(f"image.weights: {path} holds no state dict; save the state_dict")
    return state
