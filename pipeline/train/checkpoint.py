"""A training run's state on disk, so that a killed run can go on exactly where it was.

One safetensors file: tensors under numbers, and everything else as JSON in one more tensor, with
a reference wherever a tensor stood. It is replaced in one rename, so there is always a whole one.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

TENSOR = "__tensor__"
STATE = "state"
FILE = "state.safetensors"


class CheckpointFile:
    """The latest checkpoint of one training run."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Name the place; nothing is read or written.

        Args:
            folder: Of this run alone; not one that DVC empties before a run.
            fingerprint: Of everything that determines the result; see
                `pipeline.train.fingerprint`.
        """
        self._folder = folder
        self._fingerprint = fingerprint

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint.

        Args:
            state: Nested dicts with string keys, lists, tensors and what JSON can hold.

        Raises:
            InputError: The folder cannot be written to.
        """
        tensors: dict[str, Tensor] = {}
        text = json.dumps(_take_tensors(state, tensors), allow_nan=False).encode()
        tensors[STATE] = torch.frombuffer(bytearray(text), dtype=torch.uint8)
        with atomic_path(self._folder / FILE) as temporary:
            save_file(tensors, temporary, {"fingerprint": self._fingerprint})

    def load(self) -> dict[str, Any] | None:
        """Read the checkpoint.

        Returns:
            What `save` was given (tensors on the CPU, tuples as lists), or None if there is no
            checkpoint of a run with this fingerprint.

        Raises:
            InputError: The file is damaged.
        """
        path = self._folder / FILE
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                if file.metadata()["fingerprint"] != self._fingerprint:
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise InputError(f"{path}: damaged checkpoint ({error}); delete it") from error
        return _put_tensors(json.loads(tensors[STATE].numpy().tobytes()), tensors)

    def remove(self) -> None:
        """Delete the checkpoint, and what killed runs left beside it."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _take_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        name = str(len(tensors))
        # A copy of its own: safetensors refuses tensors that share memory.
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {TENSOR: name}
    if isinstance(value, dict):
        assert all(isinstance(key, str) for key in value), "JSON would turn other keys to strings"
        return {key: _take_tensors(item, tensors) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_take_tensors(item, tensors) for item in value]
    return value


def _put_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if TENSOR in value:
            return tensors[value[TENSOR]]
        return {key: _put_tensors(item, tensors) for key, item in value.items()}
    if isinstance(value, list):
        return [_put_tensors(item, tensors) for item in value]
    return value
