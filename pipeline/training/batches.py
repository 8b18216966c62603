"""Which items make a step: shuffled passes over all items, in batches of one size.

Shape letters: B batch, N items.
"""

from collections.abc import Iterator

import torch
from torch import Tensor


def batch_indices(num_items: int, batch_size: int, steps: int, seed: int) -> Iterator[Tensor]:
    """Yield the items of every step.

    Every item comes once per pass. A pass that does not fill its last batch is continued by the
    next pass, so all batches have one size, which the graph loss's 1 / N^2 assumes.

    Args:
        num_items: N.
        batch_size: B; a catalogue smaller than that gives batches of all its items.
        steps: Number of batches.
        seed: Order of the items.

    Yields:
        [B] int64 indices into the items.
    """
    generator = torch.Generator().manual_seed(seed)
    size = min(batch_size, num_items)
    pending = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(pending) < size:
            # Items left over from a pass open the next batch and are kept out of its remainder.
            following = torch.randperm(num_items, generator=generator)
            fresh = following[~torch.isin(following, pending)]
            repeated = following[torch.isin(following, pending)]
            pending = torch.cat([pending, fresh, repeated])
        yield pending[:size]
        pending = pending[size:]
