"""The model that the service answers with, and what a client is told of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.use.api import Huse
from pipeline.use.current import Stored


@dataclass(frozen=True)
class Loaded:
    """A model that is ready."""

    huse: Huse
    digest: str
    """SHA-256 of its weights."""
    items: int
    """Of its index."""
    since: int
    """When it was ready, in seconds of the epoch."""

    @property
    def name(self) -> str:
        """What a client calls this very model."""
        return f"huse-{self.digest[:12]}"


def load_checked(stored: Stored, warn: Callable[[str], None]) -> Loaded:
    """Read a model and its index as a whole, and let it answer; see `Stored.load`.

    Raises:
        InputError: A file is missing or damaged, or they do not belong together.
    """
    huse = stored.load(warn, classifies=True)
    return Loaded(huse, huse.description.digest, len(huse.index), int(time.time()))
