"""Training items of a catalogue larger than memory, streamed in shuffled blocks from Parquet.

The items whose clean view lies in one row group of the image table are a group. A pass takes the
groups in random order, several at a time, and shuffles the items of these together (a block); so
every item still comes once per pass, and only two blocks have to be on the device.

Shape letters: B batch, N items, G groups, I image feature, T text feature, P items of one group,
F feature.
"""

import numpy as np
import torch
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.features.joined import FeatureIndex
from pipeline.features.text_input import RaggedText, empty_text, join, put
from pipeline.model.towers import Towers
from pipeline.train.data.train_items import Features, TrainItems, chosen_view

MIB = 2**20


class StreamedItems(TrainItems):
    """A buffer on the device with room for some groups; the one used longest ago makes way.

    The buffer is what `max_bytes` bounds. Beside it there are about 100 bytes per item for the
    index, and while a group is read, the row groups it comes from one at a time.
    """

    def __init__(self, index: FeatureIndex, device: torch.device, max_bytes: int) -> None:
        """Lay out the buffer; features are read when a batch needs them.

        Raises:
            InputError: Two groups do not fit: one for the block at work and one for the next.
        """
        self.index_device = torch.device("cpu")
        self.label_N = torch.from_numpy(index.label_N)
        self.max_views = int(index.num_views_N.max())
        self._index = index
        self._device = device
        self.present = index.present
        # A row group is decompressed as a whole, so its items come and go together. Items without
        # a picture are dealt to the groups, as they take up no room among the pictures.
        _, group_N = np.unique(
            index.image.row_group(index.clean_row[index.has_image]), return_inverse=True
        )
        group_N = _dealt(group_N, index.has_image)
        self._group_N = torch.from_numpy(group_N)
        self._num_views_N = torch.from_numpy(index.num_views_N)
        by_group_N = np.argsort(group_N, kind="stable")
        self._items_G = np.split(by_group_N, np.cumsum(np.bincount(group_N))[:-1])
        # A slot takes any group, hence is as large as the largest needs.
        self._image_rows = max(int(index.num_views_N[items].sum()) for items in self._items_G)
        self._text_rows = max(len(items) for items in self._items_G)
        texts = index.text
        self._words = max(texts.words(index.text_row_N[items]) for items in self._items_G)
        slot_bytes = 4 * self._image_rows * index.image.dimension
        slot_bytes += texts.nbytes(self._text_rows, self._words)
        self._num_slots = min(max_bytes // slot_bytes, len(self._items_G))
        if self._num_slots < min(2, len(self._items_G)):
            raise InputError(
                f"train.max_memory: {max_bytes / MIB:.0f} MiB, but two row groups of the image "
                f"features with their texts need {2 * slot_bytes / MIB:.0f} MiB; raise it"
            )
        # One half for the block at work, one for the next, into which its last batch reaches.
        self._groups_per_block = max(1, self._num_slots // 2)
        # Zeros: a row that was never read may stand for a picture that an item lacks. What lies in
        # new memory may be NaN, which is NaN whatever it is multiplied by.
        self._image_buffer = torch.zeros(
            self._num_slots * self._image_rows, index.image.dimension, device=device
        )
        self._text_buffer = empty_text(
            self._num_slots * self._text_rows,
            texts.dimension,
            self._num_slots * self._words,
            texts.num_words,
            device,
        )
        self._slot_of: dict[int, int] = {}  # in the order of last use
        # Where an item's rows begin in the buffers, true while its group is in a slot.
        self._image_place_N = torch.zeros(len(index), dtype=torch.int64)
        self._text_place_N = torch.zeros(len(index), dtype=torch.int64)

    def shuffled(self, generator: torch.Generator) -> Tensor:
        """See `TrainItems.shuffled`; block after block, any order within a block."""
        num_groups = len(self._items_G)
        block_G = torch.empty(num_groups, dtype=torch.int64)
        block_G[torch.randperm(num_groups, generator=generator)] = (
            torch.arange(num_groups) // self._groups_per_block
        )
        # One order of everything, sorted by block alone, is a random one within each block.
        order_N = torch.randperm(len(self), generator=generator)
        return order_N[torch.argsort(block_G[self._group_N[order_N]], stable=True)]

    def fetch(self, index_B: Tensor, draw_B: Tensor | None) -> Features:
        """See `TrainItems.fetch`; reads the groups that are not in the buffer."""
        group_B = self._group_N[index_B]
        needed = torch.unique(group_B)
        pieces, places = [], []
        # One round, unless a batch is larger than the blocks.
        for groups in needed.split(self._num_slots):
            self._load(groups.tolist())
            place_M = torch.isin(group_B, groups).nonzero()[:, 0]
            draw_M = None if draw_B is None else draw_B[place_M]
            pieces.append(self._gather(index_B[place_M], draw_M))
            places.append(place_M)
        if len(pieces) == 1:
            return pieces[0]
        back_B = torch.cat(places).argsort().to(self._device)
        return Features(
            torch.cat([piece.image_BI for piece in pieces])[back_B],
            join([piece.text_BT for piece in pieces])[back_B],
        )

    def standardise(self, model: Towers) -> None:
        """See `TrainItems.standardise`; one pass over the files."""
        image, text, square_norm = Moments(), Moments(), Moments()
        norm = None
        for items_P in self._items_G:
            row_P = self._index.clean_row[items_P]
            image.add(self._index.image.read(row_P[row_P >= 0]))
            row_P = self._index.text_row_N[items_P]
            if not (row_P >= 0).any():
                continue
            rows = self._index.text.read(row_P[row_P >= 0])
            if isinstance(rows, RaggedText):
                squares_NL = rows[:].weight_NL.double().square()
                square_norm.add(squares_NL.sum(dim=1, keepdim=True).numpy())
                norm = square_norm.mean_F[0].sqrt()
                rows = rows.dense_NT
            text.add(rows.numpy())
        model.image_tower.standardise_by(image.mean_F, image.std_F)
        model.text_tower.standardise_by(text.mean_F, text.std_F, norm)

    def _gather(self, index_B: Tensor, draw_B: Tensor | None) -> Features:
        image_B = self._image_place_N[index_B]
        if draw_B is not None:
            image_B = chosen_view(self._image_place_N, self._num_views_N, index_B, draw_B)
        if self.present is not None:
            # Some row, for an item without a picture at the end of the buffer.
            image_B = image_B.clamp(max=len(self._image_buffer) - 1)
        text_B = self._text_place_N[index_B]
        return Features(
            self._image_buffer[image_B.to(self._device)],
            self._text_buffer[text_B.to(self._device)],
        )

    def _load(self, groups: list[int]) -> None:
        # Before any is read, or one that this batch needs could make way for another.
        for group in groups:
            if group in self._slot_of:
                self._slot_of[group] = self._slot_of.pop(group)  # now the last used
        for group in groups:
            if group in self._slot_of:
                continue
            slot = len(self._slot_of)
            if slot == self._num_slots:
                # All are taken; those of this batch stay.
                oldest = next(old for old in self._slot_of if old not in groups)
                slot = self._slot_of.pop(oldest)
            self._slot_of[group] = slot
            self._read(group, slot)

    def _read(self, group: int, slot: int) -> None:
        items_P = self._items_G[group]
        part = self._index.take(items_P)  # with all views, in whichever row groups they lie
        image_start, text_start = slot * self._image_rows, slot * self._text_rows
        image = torch.from_numpy(part.image.read(part.view_row_R))
        self._image_buffer[image_start : image_start + len(image)] = image.to(self._device)
        text = part.text.read(part.text_row_N)
        put(self._text_buffer, text, row=text_start, word=slot * self._words)
        self._image_place_N[items_P] = torch.from_numpy(image_start + part.first_view)
        self._text_place_N[items_P] = torch.arange(text_start, text_start + len(text))


def _dealt(group_P: np.ndarray, has_N: np.ndarray) -> np.ndarray:
    """[N] groups: the [P] given ones of the items that have one, the others dealt evenly."""
    group_N = np.empty(len(has_N), dtype=np.int64)
    group_N[has_N] = group_P
    others = np.flatnonzero(~has_N)
    group_N[others] = np.arange(len(others)) * (group_P.max() + 1) // max(len(others), 1)
    return group_N


class Moments:
    """Running mean and sum of squared deviations per feature (Chan, Golub and LeVeque 1979)."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._count = 0
        self._mean_F: np.ndarray | float = 0.0
        self._square_sum_F: np.ndarray | float = 0.0

    def add(self, row_NF: np.ndarray) -> None:
        """Take [N, F] rows into account, N >= 1."""
        mean_F = row_NF.mean(axis=0, dtype=np.float64)
        total = self._count + len(row_NF)
        shift_F = mean_F - self._mean_F
        self._square_sum_F = (
            self._square_sum_F
            + row_NF.var(axis=0, dtype=np.float64) * len(row_NF)
            + shift_F**2 * (self._count * len(row_NF) / total)
        )
        self._mean_F = self._mean_F + shift_F * (len(row_NF) / total)
        self._count = total

    @property
    def mean_F(self) -> Tensor:
        """[F] float64."""
        return torch.as_tensor(self._mean_F)

    @property
    def std_F(self) -> Tensor:
        """[F] float64, of the population."""
        return torch.as_tensor(np.sqrt(self._square_sum_F / self._count))
