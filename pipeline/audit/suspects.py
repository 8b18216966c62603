"""Which items are probably filed under the wrong class, and where they may belong.

Shape letters: N items, J items that are judged, M suspects, A classes asked for.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pipeline.audit.decisions import NONE_DECIDED, Standing
from pipeline.audit.evidence import nearest_evidence
from pipeline.audit.folds import deal_folds
from pipeline.audit.item_features import ItemFeatures
from pipeline.audit.misfiled import fit_misfiled
from pipeline.audit.out_of_fold import OutOfFold, OutOfFoldProbes
from pipeline.audit.settings import ItemsSettings
from pipeline.audit.signals import describe
from pipeline.audit.tree import Tree
from pipeline.core.errors import InputError
from pipeline.features.classes import item_classes
from pipeline.features.joined import FeatureIndex

GIVEN, DECOY, RIVAL = range(3)
"""Columns of the classes asked for."""
SAYS_SO = np.array(["together", "image", "text", "both"], dtype=object)
"""Which modality by itself finds the suggested class more probable than the given one; `together`
where neither does."""


class Scores(NamedTuple):
    """What is believed of every item."""

    misfiled_N: np.ndarray
    """[N] float64 probability that the given class is wrong; NaN where it cannot be judged."""
    order_N: np.ndarray
    """[J] int64 positions of the items that can be judged, most certainly misfiled first."""
    suggested_N: np.ndarray
    """[N] int64: the most probable other class."""
    p_suggested_N: np.ndarray
    """[N] float32 probability of that class, of an item of which nobody has said anything yet."""
    p_given_N: np.ndarray
    """[N] float32 of the given class."""
    distance_N: np.ndarray
    """[N] int64 edges between the two in the class tree."""
    says_so_N: np.ndarray
    """[N] strings of `SAYS_SO`."""
    predicted_N: np.ndarray
    """[N] int64: the most probable class, the given one or another."""
    share: float
    """Of misfiled items in the catalogue, as fitted."""


class Suspects(NamedTuple):
    """Items that are probably misfiled, and the next ones where these are few."""

    table: pd.DataFrame
    """Most certain first: item_id, path (as given), suggested_path, misfiled (the probability),
    p_suggested, p_given, distance, says_so, evidence (item ids, nearest first, with spaces)."""
    above_threshold: int
    """Undecided items that are probably misfiled, of which the table has the first."""
    not_judged: int
    """Items whose class has no other product, so that nothing else tells what it looks like."""
    scores: Scores
    """What is believed of every item."""


def find_suspects(
    index: FeatureIndex,
    classes: Mapping[str, Any],
    settings: ItemsSettings,
    standing: Standing = NONE_DECIDED,
) -> Suspects:
    """List the items whose given class is most probably wrong, but for those that are decided.

    Args:
        index: The items of all splits.
        classes: Content of classes.json; under `parts` a class is a class path.
        settings: Section `audit.items`.
        standing: The items that are decided. They are fitted on and counted in the share as all
            others are; those that wait for another class are no evidence for their old one.

    Raises:
        InputError: There are too few products to judge any item by others.
    """
    tree = Tree(classes)
    scores = score_items(index, tree, fit_probes(index, tree, settings), seed=settings.seed)
    right_N, waiting_N = (pd.Index(index.item_ids).isin(ids) for ids in standing)
    undecided_J = scores.order_N[~(right_N | waiting_N)[scores.order_N]]
    above_J = scores.misfiled_N[undecided_J] >= settings.threshold
    # Where nearly all is right, nothing is probably wrong, and the first are worth a look still.
    doubted_J = (scores.p_suggested_N > scores.p_given_N)[undecided_J]
    count = min(settings.most, max(settings.least, int(above_J.sum())))
    listed_M = undecided_J[above_J | doubted_J][:count]
    says_so_M = scores.says_so_N[listed_M]
    weight_M2 = np.stack([says_so_M != "text", says_so_M != "image"], axis=1).astype(np.float64)
    evidence_ME = nearest_evidence(
        ItemFeatures(index),
        np.where(waiting_N, -1, index.label_N),
        listed_M,
        scores.suggested_N[listed_M],
        weight_M2 / weight_M2.sum(axis=1, keepdims=True),
        settings.evidence,
    )
    path_K = np.array(
        [classes["separator"].join(entry["parts"]) for entry in item_classes(classes)],
        dtype=object,
    )
    table = pd.DataFrame(
        {
            "item_id": index.item_ids[listed_M],
            "path": path_K[index.label_N[listed_M]],
            "suggested_path": path_K[scores.suggested_N[listed_M]],
            "misfiled": scores.misfiled_N[listed_M],
            "p_suggested": scores.p_suggested_N[listed_M],
            "p_given": scores.p_given_N[listed_M],
            "distance": scores.distance_N[listed_M],
            "says_so": says_so_M,
            "evidence": [" ".join(index.item_ids[row_E[row_E >= 0]]) for row_E in evidence_ME],
        }
    )
    not_judged = len(index) - len(scores.order_N)
    return Suspects(table, int(above_J.sum()), not_judged, scores)


def fit_probes(index: FeatureIndex, tree: Tree, settings: ItemsSettings) -> OutOfFoldProbes:
    """Fit what judges the items, each by other products; see `find_suspects`."""
    product_N = index.shared_N3[:, 0]
    products = len(np.unique(product_N))
    if products < 2 * settings.folds:
        raise InputError(
            f"audit.items.folds: {products} products are too few for {settings.folds} folds; have "
            "fewer folds or more items"
        )
    fold_N = deal_folds(product_N, index.label_N, settings.folds, settings.seed)
    return OutOfFoldProbes(index, fold_N, len(tree), most_items=settings.fit_items)


def score_items(index: FeatureIndex, tree: Tree, probes: OutOfFoldProbes, *, seed: int) -> Scores:
    """Judge every item by what the probes say; `seed` is of the decoys. See `find_suspects`."""
    label_N = index.label_N
    decoy_N = draw_decoys(label_N, tree, seed)
    found = probes.judge(np.stack([label_N, decoy_N], axis=1))
    given = describe(found, GIVEN, label_N, label_N, index.shared_N3, tree)
    decoys = describe(found, DECOY, decoy_N, label_N, index.shared_N3, tree)
    judged_N = found.support_NA[:, GIVEN] > 0
    if not judged_N.any():
        raise InputError(
            "audit: every class has one product alone, so no item can be judged by another"
        )
    fitted = fit_misfiled(given, decoys, judged_N, seed=seed)
    order_N = np.argsort(-fitted.score_N, kind="stable")
    return Scores(
        np.where(judged_N, fitted.probability_N, np.nan),
        order_N[judged_N[order_N]],
        found.rival_N,
        np.exp(found.fused.log_p_NA[:, RIVAL]),
        np.exp(found.fused.log_p_NA[:, GIVEN]),
        tree.distance(label_N, found.rival_N),
        who_says_so(found, index.has_image, index.has_text),
        found.fused.best_N2[:, 0],
        fitted.share,
    )


def draw_decoys(label_N: np.ndarray, tree: Tree, seed: int) -> np.ndarray:
    """Draw a wrong class for every item: half of them near the given one, half anywhere."""
    generator = np.random.default_rng(seed)
    near_N = generator.random(len(label_N)) < 0.5
    anywhere_N = tree.draw_anywhere(label_N, generator)
    return np.where(near_N, tree.draw_near(label_N, generator), anywhere_N)


def who_says_so(found: OutOfFold, has_image_N: np.ndarray, has_text_N: np.ndarray) -> np.ndarray:
    """[N] strings of `SAYS_SO`; two [N] bool say what an item has, which alone can say so."""
    image_N, text_N = (
        (opinion.log_p_NA[:, RIVAL] > opinion.log_p_NA[:, GIVEN]) & has_N
        for opinion, has_N in ((found.image, has_image_N), (found.text, has_text_N))
    )
    return SAYS_SO[image_N + 2 * text_N]
