"""What there is to extract, how, and in which pieces; all of it travels between processes.

Shape letters: S side of the input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.image_features.recipe import Recipe

# A chunk that ends within a batch has the network run over rows that nobody asked for.
_BATCH, _MOST_AT_ONCE = 8, 256


class Job(NamedTuple):
    """One picture to extract."""

    image: str
    """Below the folder of the pictures."""
    digest: str
    """Sha256 of the file in hex."""
    views: list[int]
    """Those that the store lacks."""


@dataclass(frozen=True)
class WorkPlan:
    """What a process needs to know to do jobs; it travels."""

    images: str
    """Address of the folder of the pictures."""
    recipe: Recipe
    onnx_file: str
    """The ONNX file; not there for the runtime torch."""
    store: str
    """Address of the store."""
    augment: str
    device: str
    """`cpu` or `cuda`."""
    batch_size: int | None
    """None: what suits the device."""


Failures = list[tuple[str, str]]
"""Digest and reason of each picture that cannot be used."""
Views = tuple[int, list[np.ndarray]]
"""Width times height of a picture, and [S, S, 3] uint8 per view."""


def job_chunks(jobs: Sequence[Job], workers: int) -> list[Sequence[Job]]:
    """Divide the work into what a thread or a process is given at a time, all jobs in order.

    There are many chunks per worker, so that all of them end at about the same time.
    """
    size = min(_MOST_AT_ONCE, len(jobs) // (16 * workers) // _BATCH * _BATCH)
    size = max(_BATCH, size)
    return [jobs[start : start + size] for start in range(0, len(jobs), size)]
