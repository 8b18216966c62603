"""What every runtime offers: pixels in, vectors out.

Shape letters: B batch, S side of the input, I image feature.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np


class Runner(ABC):
    """A backbone made ready by one runtime."""

    batch_size: int
    """B: every batch has this size, so that a picture's vector does not depend on its company."""
    threads: int = 1
    """Threads that may submit at the same time and gain by it."""
    depth: int = 0
    """Batches worth having under way before the first result is asked for."""

    @abstractmethod
    def submit(self, pixels_BSS3: np.ndarray) -> Callable[[], np.ndarray]:
        """Start one batch.

        Args:
            pixels_BSS3: [B, S, S, 3] uint8; may be overwritten once this returns.

        Returns:
            A function that waits for the [B, I] float32 vectors.
        """
