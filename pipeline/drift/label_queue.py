"""What to label next: of what the model is least certain, what is most like others of that kind.

Shape letters: C candidates, Q of the queue, D embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans

from pipeline.drift.batch_log import Kept
from pipeline.drift.queue_file import SUGGESTIONS, Row
from pipeline.use.prediction import Guess

PER_PLACE = 10
"""Candidates per place in the queue, the least certain ones."""


class Queued(NamedTuple):
    """An item to label."""

    item: Kept
    like_it: int
    """Candidates that it stands for, itself among them."""


def choose_queue(candidates: Sequence[Kept], size: int) -> list[Queued]:
    """Choose what to label: uncertain, typical and none twice.

    The least certain candidates are put into as many clusters as the queue has places, by k-means
    in which they weigh as much as they are uncertain; the one nearest to each centre is taken
    (Zhdanov 2019, Diverse mini-batch active learning). Heavy clusters, of many uncertain items,
    come first.

    Args:
        candidates: C items, the least certain first, each once.
        size: Q, how many are wanted at most.
    """
    kept = candidates[: PER_PLACE * size]
    if not kept:
        return []
    vector_CD = np.stack([one.vector_D for one in kept]).astype(np.float64)
    # All alike, a queue of certain items still has an order.
    weight_C = np.array([max(one.uncertainty, 1e-6) for one in kept])
    clusters = min(size, len(np.unique(vector_CD, axis=0)))
    means = KMeans(clusters, n_init=4, random_state=0).fit(vector_CD, sample_weight=weight_C)
    weight_Q = np.bincount(means.labels_, weight_C, minlength=clusters)
    distance_C = np.linalg.norm(vector_CD - means.cluster_centers_[means.labels_], axis=1)
    queue = []
    for cluster in np.argsort(-weight_Q, kind="stable"):
        inside = np.flatnonzero(means.labels_ == cluster)
        if len(inside):
            queue.append(Queued(kept[inside[np.argmin(distance_C[inside])]], len(inside)))
    return queue


def queue_rows(queue: Sequence[Queued]) -> list[Row]:
    """Write items as `QueueFile.renew` takes them."""
    rows = []
    for item, like_it in queue:
        row = {"image": item.image, "text": item.text}
        guesses = [Guess(item.path, item.probability), *item.others]
        # The file may have room for fewer than a log kept.
        for (path, probability), guess in zip(SUGGESTIONS, guesses, strict=False):
            row |= {path: guess.path, probability: f"{guess.probability:.4f}"}
        row["near"] = {True: "yes", False: "no", None: ""}[item.near]
        row["like_it"] = str(like_it)
        row["source"] = f"{item.source}, row {item.row}, {item.when:%Y-%m-%d}"
        rows.append(row)
    return rows
