"""Class probabilities of every item from what was fitted on other products, in bounded memory.

A linear probe per modality and fold is fitted on the given labels. Their log probabilities are put
together with weights, and less the logarithm of the class shares, which both have in them: the
three numbers are fitted on the given labels as a temperature is (Guo et al. 2017), out of fold.
Where an item lacks its picture or its text, the other says all that is said.
Of an item's K probabilities only those that are asked for and the two greatest are kept.

Shape letters: N items, M items chosen, B items of a block, F features, K classes, A classes asked
for.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

from pipeline.audit.folds import capped_sample
from pipeline.audit.item_features import MODALITIES, ItemFeatures, has_features
from pipeline.audit.probe import Probe, fit_probe
from pipeline.core.sample import draw_sample
from pipeline.core.take_step import spare_the_compiler, take_step
from pipeline.features.joined import FeatureIndex

BLOCK_LOGITS = 2**22
"""Logits per modality in memory at a time: 16 MiB."""
POOLING_LOGITS = 2**25
"""Logits per modality that the three weights are fitted on: 128 MiB."""
FEWEST_ITEMS = 256
MOST_STEPS = 100
START = (0.5, 0.5, 0.0)


class Opinion(NamedTuple):
    """What image, text or both together say of each item's class."""

    log_p_NA: np.ndarray
    """[N, A] float32 natural logarithms of the probability of the classes asked for."""
    best_N2: np.ndarray
    """[N, 2] int64: the two most probable classes."""
    log_best_N2: np.ndarray
    """[N, 2] float32: of these."""

    def best_other(self, label_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Most probable class other than [N] classes, and the logarithm of its probability."""
        column_N = (self.best_N2[:, 0] == label_N).astype(np.int64)
        row_N = np.arange(len(label_N))
        return self.best_N2[row_N, column_N], self.log_best_N2[row_N, column_N]


def _no_opinion(count: int, asked: int) -> Opinion:
    return Opinion(
        np.empty((count, asked), dtype=np.float32),
        np.empty((count, 2), dtype=np.int64),
        np.empty((count, 2), dtype=np.float32),
    )


class Pooling(NamedTuple):
    """How the log probabilities of the modalities are put together."""

    image: float
    text: float
    share: float
    """Of the logarithm of the class shares, which is taken away."""


class OutOfFold(NamedTuple):
    """What is said of the items by what was fitted on others."""

    image: Opinion
    text: Opinion
    fused: Opinion
    rival_N: np.ndarray
    """[N] int64: by both together, the most probable class other than the first one asked for."""
    support_NA: np.ndarray
    """[N, A] int64: items of the class asked for outside the item's fold, of those fitted on."""


class OutOfFoldProbes:
    """The probes of all folds; every item is judged by those that did not see it."""

    def __init__(
        self, index: FeatureIndex, fold_N: np.ndarray, num_classes: int, *, most_items: int
    ) -> None:
        """Fit the probes.

        Args:
            index: The items, with their given labels.
            fold_N: [N] int64 from `deal_folds`.
            num_classes: K, at least 2.
            most_items: Items to fit on, in memory at a time with their features.
        """
        self._features = ItemFeatures(index)
        self._label_N, self._fold_N = index.label_N, fold_N
        self.has_image, self.has_text = index.has_image, index.has_text
        chosen_M = capped_sample(index.label_N, most_items, seed=0)
        label_M, fold_M = index.label_N[chosen_M], fold_N[chosen_M]
        folds = int(fold_N.max()) + 1
        self._count_fK = np.stack(
            [np.bincount(label_M[fold_M != f], minlength=num_classes) for f in range(folds)]
        )
        count_K = np.bincount(index.label_N, minlength=num_classes)
        self._log_share_K = np.log((count_K + 0.5) / len(fold_N)).astype(np.float32)
        # A class of which items were left out is as probable as with all of them.
        kept_K = np.bincount(label_M, minlength=num_classes)
        left_out_K = np.log(np.maximum(count_K, 1) / np.maximum(kept_K, 1)).astype(np.float32)
        self._probes: dict[str, list[Probe]] = {}
        read = self._features.read(chosen_M)
        for modality in MODALITIES:
            feature_MF = read.pop(modality)
            has_M = has_features(feature_MF)
            self._probes[modality] = []
            for f in range(folds):
                others_M = (fold_M != f) & has_M
                probe = fit_probe(feature_MF[others_M], label_M[others_M], num_classes, seed=f)
                self._probes[modality].append(probe._replace(bias_K=probe.bias_K + left_out_K))
        self.pooling = self._fit_pooling()

    def judge(self, asked_NA: np.ndarray) -> OutOfFold:
        """Say what is thought of every item, in one pass over all features.

        Args:
            asked_NA: [N, A - 1] int64 classes whose probability is wanted, the given one first;
                the last of the A is the rival that is found for it.
        """
        count, asked = asked_NA.shape
        rival_N = np.empty(count, dtype=np.int64)
        # Results kept block by block would lie between the blocks, whose memory could not be used
        # again: 19 GiB at a million items of 5,000 classes.
        found = {name: _no_opinion(count, asked + 1) for name in (*MODALITIES, "fused")}
        for rows, image_BK, text_BK in self._blocks():
            said = dict(zip(MODALITIES, (image_BK, text_BK), strict=True))
            said["fused"] = self._pool(image_BK, text_BK, torch.tensor(self.pooling))
            lacks_any = torch.from_numpy(~(self.has_image & self.has_text)[rows])
            said["fused"][lacks_any] = image_BK[lacks_any]
            best_B2 = said["fused"].topk(2, dim=1).indices.numpy()
            rival_N[rows] = np.where(
                best_B2[:, 0] == asked_NA[rows, 0], best_B2[:, 1], best_B2[:, 0]
            )
            asked_BA = torch.from_numpy(np.c_[asked_NA[rows], rival_N[rows]])
            for name, log_p_BK in said.items():
                best = log_p_BK.topk(2, dim=1)
                opinion = found[name]
                opinion.log_p_NA[rows] = log_p_BK.gather(1, asked_BA)
                opinion.best_N2[rows], opinion.log_best_N2[rows] = best.indices, best.values
        support_NA = self._count_fK[self._fold_N[:, None], np.c_[asked_NA, rival_N]]
        return OutOfFold(**found, rival_N=rival_N, support_NA=support_NA)

    def _fit_pooling(self) -> Pooling:
        """Minimise the cross-entropy of the given labels of a sample of items, out of fold."""
        size = max(FEWEST_ITEMS, POOLING_LOGITS // len(self._log_share_K))
        complete = np.flatnonzero(self.has_image & self.has_text)
        chosen_M = complete[draw_sample(len(complete), size, seed=0)]
        image_MK, text_MK = self._log_p(chosen_M, self._features.read(chosen_M))
        label_M = torch.from_numpy(self._label_N[chosen_M])
        weight = torch.tensor(START, requires_grad=True)
        spare_the_compiler()
        optimizer = torch.optim.LBFGS([weight], max_iter=MOST_STEPS, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            value = cross_entropy(self._pool(image_MK, text_MK, weight), label_M)
            value.backward()
            return value

        take_step(optimizer, loss)
        return Pooling(*weight.detach().tolist())

    def _pool(self, image_BK: Tensor, text_BK: Tensor, weight: Tensor) -> Tensor:
        share_K = torch.from_numpy(self._log_share_K)
        return log_softmax(weight[0] * image_BK + weight[1] * text_BK - weight[2] * share_K, dim=1)

    def _blocks(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield rows of consecutive items, and their log probabilities by image and by text."""
        size = max(1, BLOCK_LOGITS // len(self._log_share_K))
        for rows, features in self._features.blocks():
            for start in range(rows.start, rows.stop, size):
                some = slice(start, min(start + size, rows.stop))
                local = slice(some.start - rows.start, some.stop - rows.start)
                part = {name: matrix_NF[local] for name, matrix_NF in features.items()}
                yield some, *self._log_p(np.arange(some.start, some.stop), part)

    def _log_p(
        self, position_B: np.ndarray, features: dict[str, np.ndarray]
    ) -> tuple[Tensor, Tensor]:
        """[B, K] log probabilities by image and by text, each from the probes of other folds.

        Of an item that has one of the two, this one says the other as well.
        """
        said = []
        for modality in MODALITIES:
            logits_BK = torch.empty(len(position_B), len(self._log_share_K))
            for f in np.unique(self._fold_N[position_B]):
                probe = self._probes[modality][f]
                own_B = self._fold_N[position_B] == f
                logits = features[modality][own_B] @ probe.weight_FK + probe.bias_K
                logits_BK[torch.from_numpy(own_B)] = torch.from_numpy(logits)
            said.append(log_softmax(logits_BK, dim=1))
        image_BK, text_BK = said
        lacks_image, lacks_text = (
            torch.from_numpy(~has_N[position_B]) for has_N in (self.has_image, self.has_text)
        )
        image_BK[lacks_image], text_BK[lacks_text] = text_BK[lacks_image], image_BK[lacks_text]
        return image_BK, text_BK
