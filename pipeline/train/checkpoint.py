"""A training run's state on disk, so that a killed run can go on exactly where it was.

One file, replaced in one rename, so there is always a whole one.
"""

import shutil
from pathlib import Path
from typing import Any

import torch

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

FILE = "state.pt"


class CheckpointFile:
    """The latest checkpoint of one training run."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Name the place; nothing is read or written.

        Args:
            folder: Of this run alone; not one that DVC empties before a run.
            fingerprint: Of everything that determines the result; see
                `pipeline.train.fingerprint`.
        """
        self._path = folder / FILE
        self._fingerprint = fingerprint

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint by what `torch.load` may read: plain data and tensors.

        Raises:
            InputError: The folder cannot be written to.
        """
        with atomic_path(self._path) as temporary, temporary.open("wb") as file:
            torch.save({"fingerprint": self._fingerprint, "state": state}, file)

    def load(self) -> dict[str, Any] | None:
        """Read the checkpoint, tensors to the CPU; None if there is none of this very run.

        Raises:
            InputError: The file is damaged.
        """
        if not self._path.exists():
            return None
        try:
            # Never unpickled: a file that holds more than plain data is refused.
            found = torch.load(self._path, map_location="cpu", weights_only=True)
            return found["state"] if found["fingerprint"] == self._fingerprint else None
        except Exception as error:  # bytes that are not what was written fail in any way there is
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{self._path}: damaged checkpoint ({reason}); delete it") from error

    def remove(self) -> None:
        """Delete the checkpoint, and what killed runs left beside it."""
        shutil.rmtree(self._path.parent, ignore_errors=True)
