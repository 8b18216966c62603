"""What is watched while training: retrieval and accuracy on the validation split.

Shape letters: N items, M queries, G candidates, B items of a block, D embedding, K classes,
L labels.
"""

from collections import defaultdict

import numpy as np
import torch
from torch import Tensor

from pipeline.features.pairs import Pairs
from pipeline.features.present import Present
from pipeline.metrics.classification import SHARED_TOP, shared_in_top
from pipeline.metrics.neighbours import candidates_of_class, worthless_results
from pipeline.metrics.retrieval import class_hits, nearest
from pipeline.model.towers import Towers
from pipeline.train.calibrate import calibrate, outputs

MAX_ITEMS = 4096
"""Retrieval is quadratic; a fair sample of so many tells the epochs apart well enough."""
FIT_LOGITS = 2**18
"""Logits per modality that the fusion is fitted on; it goes over them about a hundred times."""


def validate(model: Towers, pairs: Pairs, membership_KL: Tensor | None = None) -> dict[str, float]:
    """Measure a model on validation items.

    Args:
        model: It is left in evaluation mode.
        pairs: Validation items, best no more than `MAX_ITEMS`, with what they share.
        membership_KL: [K, L] 1 where the items of a class have a label; None where the classifier
            gives an item exactly one class.

    Returns:
        `r_at_1` (mean of the four directions); `accuracy_image`, `accuracy_text` and
        `accuracy_fused` (with a fusion fitted on a sample of these items, the same every time);
        `score`, the mean of `r_at_1` and `accuracy_fused`. Where an item has several labels, an
        accuracy is the share of them among its SHARED_TOP most probable. Each is of the items that
        have the modality.

    Raises:
        InputError: An embedding is not finite, as after a step that was too long.
    """
    # Always the same sample, so that two validations differ by the model alone.
    fusion = calibrate(model, pairs, membership_KL, seed=0, max_logits=FIT_LOGITS)
    # Embeddings of all, logits of a block: K may be larger than everything else.
    right: dict[str, float] = defaultdict(float)
    embeddings: dict[str, list[Tensor]] = {"image": [], "text": []}
    for position_B, output in outputs(model, pairs, np.arange(len(pairs))):
        embeddings["image"].append(output.image_BD)
        embeddings["text"].append(output.text_BD)
        label_B = pairs.label_N[position_B]
        target = label_B if membership_KL is None else membership_KL[label_B]
        for modality, probability_BK in fusion.probabilities(output).items():
            has_B = _has(modality, output.present)
            right[modality] += _right(probability_BK[has_B], target[has_B])
    r_at_1 = _mean_r_at_1({name: torch.cat(parts) for name, parts in embeddings.items()}, pairs)
    accuracy = {
        modality: count / max(_count(modality, pairs), 1) for modality, count in right.items()
    }
    return {
        "r_at_1": r_at_1,
        **{f"accuracy_{modality}": value for modality, value in accuracy.items()},
        "score": (r_at_1 + accuracy["fused"]) / 2,
    }


def _right(score_BK: Tensor, target: Tensor) -> float:
    """Number of items that are given their class, or the sum of the shares of labels found."""
    if target.dim() == 2:
        shared_B = shared_in_top(score_BK.cpu().numpy(), target.cpu().numpy(), SHARED_TOP)
        return float(shared_B.sum())
    return (score_BK.argmax(dim=1) == target).sum().item()


def _mean_r_at_1(embedding_ND: dict[str, Tensor], pairs: Pairs) -> float:
    """Mean of the four directions, in each over the queries that a candidate can answer."""
    assert pairs.shared_N3 is not None, "validation items say what they share"
    label_N, own = pairs.label_N, worthless_results(*pairs.shared_N3.T)
    recalls = []
    for query, query_ND in embedding_ND.items():
        for gallery, gallery_ND in embedding_ND.items():
            of_query, of_gallery = (_has(name, pairs.present) for name in (query, gallery))
            label_M, label_G = label_N[of_query], label_N[of_gallery]
            within = own[query][of_query] if query == gallery else None
            # Within a modality, to find what shares the query's product or content proves nothing.
            groups = {"query_group_M": within, "gallery_group_N": within}
            index_M1 = nearest(query_ND[of_query], gallery_ND[of_gallery], 1, **groups).indices
            hit_M = class_hits(index_M1, label_M, label_G, [1])[:, 0]
            answerable_M = candidates_of_class(label_M, label_G, **groups) > 0
            if answerable_M.any():
                recalls.append(hit_M[answerable_M].double().mean().item())
    return sum(recalls) / len(recalls)


def _has(modality: str, present: Present | None) -> Tensor | slice:
    """Which items have a modality; all that are items are classified by what they have."""
    if present is None or modality == "fused":
        return slice(None)
    return present.image_N if modality == "image" else present.text_N


def _count(modality: str, pairs: Pairs) -> int:
    has_N = _has(modality, pairs.present)
    return len(pairs) if isinstance(has_N, slice) else int(has_N.sum())
