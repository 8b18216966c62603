"""What tells models apart: by their weights, or by their files, which need not be loaded."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.file_digest import file_digest

if TYPE_CHECKING:
    from torch import nn

RECIPE = ("*.json", "*.txt", "*.model")
"""Files of a model's folder that say what it does with its weights: tokenizer, pooling, prompts."""


def weights_digest(model: nn.Module) -> str:
    """Digest a model's weights, on any device, as 64 hexadecimal digits."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def model_digest(weights: str, place: str | None, version: str = "") -> str:
    """Digest all that decides a model's features, as 64 hexadecimal digits.

    Args:
        weights: From `weights_digest`.
        place: Where the model is: of a folder, the small files count too; a name on the hub, or
            None.
        version: What else there is to tell models with the same weights apart, such as the hub's
            commit.
    """
    digest = hashlib.sha256(f"{weights} {version}".encode())
    if place is not None:
        folder = Path(place)
        for path in sorted(path for pattern in RECIPE for path in folder.rglob(pattern)):
            digest.update(f"{path.relative_to(folder).as_posix()} {file_digest(path)}".encode())
    return digest.hexdigest()


def library_versions(library: str) -> str:
    """Name the version of a package that loads models, and of those below it."""
    return ", ".join(f"{name} {version(name)}" for name in (library, "transformers", "torch"))
