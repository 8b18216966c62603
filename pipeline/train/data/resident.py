"""Training items whose features all lie in one tensor on the device: a batch is an index.

Shape letters: B batch, N items, R image rows (all views), I image feature, T text feature.
"""

import torch
from torch import Tensor

from pipeline.features.joined import FeatureIndex
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
        self._first_N = torch.from_numpy(index.first_view).to(device)
        self._num_views_N = torch.from_numpy(index.num_views_N).to(device)

    def shuffled(self, generator: torch.Generator) -> Tensor:
        """See `TrainItems.shuffled`; any order is as likely as any other."""
        return torch.randperm(len(self), generator=generator)

    def fetch(self, index_B: Tensor, draw_B: Tensor | None) -> Features:
        """See `TrainItems.fetch`."""
        if draw_B is None:
            row_B = index_B if self.max_views == 1 else self._first_N[index_B]
        else:
            row_B = chosen_view(self._first_N, self._num_views_N, index_B, draw_B)
        return Features(self._image_RI[row_B], self._text_NT[index_B])

    def standardise(self, model: Towers) -> None:
        """See `TrainItems.standardise`."""
        # The clean views of all are a copy of all that are in memory, if there are no others.
        clean_NI = self._image_RI if self.max_views == 1 else self._image_RI[self._first_N]
        model.standardise(clean_NI, self._text_NT)
