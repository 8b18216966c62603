"""Which items have a picture and which have a text.

Shape letters: N items, M items chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Present(NamedTuple):
    """What each of N items has, at least one of the two.

    Where all items have both there is none of this, but None: nothing need be left out, and a
    catalogue without gaps is worked on as if gaps did not exist.
    """

    image_N: Tensor
    """[N] bool."""
    text_N: Tensor
    """[N] bool."""

    @property
    def both_N(self) -> Tensor:
        """[N] bool."""
        return self.image_N & self.text_N

    def take(self, index_M: Tensor | slice) -> Present:
        """Select items at [M] int64 positions, in that order."""
        return Present(self.image_N[index_M], self.text_N[index_M])

    def to(self, device: torch.device) -> Present:
        """Move to a device."""
        return Present(self.image_N.to(device), self.text_N.to(device))


def present_of(has_image_N: np.ndarray, has_text_N: np.ndarray) -> Present | None:
    """Put two [N] bool together; None where all items have both."""
    if has_image_N.all() and has_text_N.all():
        return None
    # Takes a second to import, which stages that know of no tensors need not wait for.
    import torch

    return Present(torch.from_numpy(has_image_N), torch.from_numpy(has_text_N))
