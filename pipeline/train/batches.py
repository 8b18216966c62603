"""Which items make a step: shuffled passes over all items, in batches of one size.

Shape letters: B batch, N items, Q items queued for this pass, I image feature, T text feature.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.features.present import Present
from pipeline.features.text_input import TextInput
from pipeline.train.data.train_items import TrainItems
from pipeline.train.world import ALONE, World


class Batch(NamedTuple):
    """The items of a step."""

    image_BI: Tensor
    """[B, I] float32; with more than one process, this process's share of the rows."""
    text_BT: TextInput
    """[B, T] float32, likewise; perhaps with a sparse part."""
    label_B: Tensor
    """[B] int64 classes of the whole batch, on every process."""
    present: Present | None = None
    """What each item of the whole batch has, on every process; None where all have both."""
    own_present: Present | None = None
    """Of this process's share of the rows."""


class Batches:
    """An endless series of batches; the same one for the same seed, also after a restart.

    Every item comes once per pass. A pass that does not fill its last batch is continued by the
    next pass, so all batches have one size, which the graph loss's 1 / N^2 assumes. No batch holds
    an item twice. An item with several views comes with one of them, drawn anew each time.
    """

    def __init__(self, items: TrainItems, batch_size: int, seed: int, world: World = ALONE) -> None:
        """Prepare the first pass.

        Args:
            items: What to draw from.
            batch_size: Items of a step over all processes; a smaller catalogue gives batches of
                all its items (of as many as the processes can share evenly).
            seed: Of the order of the items, and of their views.
            world: Each process fetches its share of every batch.

        Raises:
            InputError: The processes cannot share a batch evenly.
        """
        if batch_size % world.size or len(items) < world.size:
            raise InputError(
                f"train.batch_size: got {batch_size}; it needs to be a multiple of the "
                f"{world.size} processes, with an item for each"
            )
        self.items = items
        size = min(batch_size, len(items))
        self._size = size - size % world.size
        self._world = world
        self._generator = torch.Generator().manual_seed(seed)
        self._position = 0
        self._start_pass(torch.empty(0, dtype=torch.int64))

    def next(self) -> Batch:
        """Fetch the next batch."""
        if self._position + self._size > len(self._queue_Q):
            self._start_pass(self._queue_Q[self._position :].cpu())
        batch = slice(self._position, self._position + self._size)
        self._position = batch.stop
        share = self._world.share(batch)
        draw_B = None if self._draw_Q is None else self._draw_Q[share]
        features = self.items.fetch(self._queue_Q[share], draw_B)
        # Labels are cheap and every process needs all of them, for the pairs of the whole batch.
        device = features.image_BI.device
        label_B = self.items.label_N[self._queue_Q[batch]].to(device)
        present = own = self.items.present
        if present is not None:
            own = present.take(self._queue_Q[share]).to(device)
            present = present.take(self._queue_Q[batch]).to(device)
        return Batch(features.image_BI, features.text_BT, label_B, present, own)

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        return {
            "generator": self._generator_before,
            "carried": self._carried,
            "position": self._position,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another series with the same arguments was when it gave its `state`."""
        self._generator.set_state(state["generator"])
        self._start_pass(state["carried"])
        self._position = state["position"]

    def _start_pass(self, carried: Tensor) -> None:
        """Queue the items that the last pass left over, then all items in a new order."""
        # From this state and what is carried over the whole queue follows; a checkpoint of it is
        # small, whatever the number of items.
        self._generator_before = self._generator.get_state()
        self._carried = carried.clone()
        order_N = self.items.shuffled(self._generator)
        # Items left over open the first batch, so they step back from its remainder. They step no
        # farther than needed, or a streamed catalogue would read their blocks once more.
        head, rest = order_N[: 2 * self._size], order_N[2 * self._size :]
        again = torch.isin(head, carried)
        queue_Q = torch.cat([carried, head[~again], head[again], rest])
        device = self.items.index_device
        self._draw_Q: Tensor | None = None
        if self.items.max_views > 1:
            self._draw_Q = torch.rand(len(queue_Q), generator=self._generator).to(device)
        self._queue_Q = queue_Q.to(device)
        self._position = 0
