"""Training items whose features all lie in one tensor on the device: a batch is an index.

Shape letters: B batch, N items, R image rows (all views), I image feature, T text feature.
"""

import torch
from torch import Tensor

from pipeline.features.joined import FeatureIndex
from pipeline.features.text_input import take
from pipeline.model.towers import Towers
from pipeline.train.data.train_items import Features, TrainItems, chosen_view


class ResidentItems(TrainItems):
    """All features on the device."""

    def __init__(self, index: FeatureIndex, device: torch.device) -> None:
        """Read the features of the items, with all their views."""
        self.index_device = device
        self.label_N = torch.from_numpy(index.label_N).to(device)
        self.max_views = int(index.num_views_N.max())
        self._image_RI = torch.from_numpy(index.image.read(index.view_row_R)).to(device)
        self._text_NT = index.text.read(index.text_row_N).to(device)
        # Then rows and items are the same.
        self._is_plain = bool((index.num_views_N == 1).all())
        self._first_N = torch.from_numpy(index.first_view).to(device)
        self._num_views_N = torch.from_numpy(index.num_views_N).to(device)
        present = index.present
        self.present = None if present is None else present.to(device)

    def shuffled(self, generator: torch.Generator) -> Tensor:
        """See `TrainItems.shuffled`; any order is as likely as any other."""
        return torch.randperm(len(self), generator=generator)

    def fetch(self, index_B: Tensor, draw_B: Tensor | None) -> Features:
        """See `TrainItems.fetch`."""
        if draw_B is None:
            row_B = index_B if self._is_plain else self._first_N[index_B]
        else:
            row_B = chosen_view(self._first_N, self._num_views_N, index_B, draw_B)
        if self.present is not None:
            # Some row, for an item without a picture at the end of the table.
            row_B = row_B.clamp(max=len(self._image_RI) - 1)
        return Features(self._image_RI[row_B], self._text_NT[index_B])

    def standardise(self, model: Towers) -> None:
        """See `TrainItems.standardise`."""
        # The clean views of all are a copy of all that are in memory, if there are no others.
        clean_NI, text_NT = self._image_RI, self._text_NT
        if self.present is not None:
            clean_NI = self._image_RI[self._first_N[self.present.image_N]]
            text_NT = take(text_NT, self.present.text_N.nonzero()[:, 0])
        elif not self._is_plain:
            clean_NI = self._image_RI[self._first_N]
        model.standardise(clean_NI, text_NT)
