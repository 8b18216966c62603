"""What is watched while training: retrieval and accuracy on the validation split.

Shape letters: N items, D embedding, K classes, L labels.
"""

import torch
from torch import Tensor

from pipeline.dataset.pairs import Pairs
from pipeline.errors import InputError
from pipeline.metrics.classification import SHARED_TOP, shared_in_top
from pipeline.metrics.retrieval import class_hits, nearest
from pipeline.models.fusion import fit_fusion
from pipeline.models.huse import Huse, HuseOutput

MAX_ITEMS = 4096
"""Retrieval is quadratic; so many validation items tell the epochs apart well enough."""
FIT_LOGITS = 2**18
"""Logits per modality that the fusion is fitted on; it goes over them about a hundred times."""


def validate(model: Huse, pairs: Pairs, membership_KL: Tensor | None = None) -> dict[str, float]:
    """Measure a model on validation items.

    Args:
        model: Left in evaluation mode.
        pairs: Validation items; the first `MAX_ITEMS` are used.
        membership_KL: [K, L] 1 where the items of a class have a label; None where the classifier
            gives an item exactly one class.

    Returns:
        `r_at_1` (mean of the four directions); `accuracy_image`, `accuracy_text` and
        `accuracy_fused` (with a fusion fitted on the first of these items, as the finished model's
        is on all of them); `score`, the mean of `r_at_1` and `accuracy_fused`. Where an item has
        several labels, an accuracy is the share of them among its SHARED_TOP most probable.

    Raises:
        InputError: An embedding is not finite, as after a step that was too long.
    """
    model.eval()
    with torch.inference_mode():
        output = model(pairs.image_NI[:MAX_ITEMS], pairs.text_NT[:MAX_ITEMS])
    if not (output.image_BD.isfinite().all() and output.text_BD.isfinite().all()):
        raise InputError(
            "train: validation embeddings are not finite; lower train.lr (the features are "
            "finite: they are checked when they are stored)"
        )
    label_N = pairs.label_N[:MAX_ITEMS]
    target = label_N if membership_KL is None else membership_KL[label_N]
    fitted = slice(max(256, FIT_LOGITS // output.image_logits_BK.shape[1]))
    first = HuseOutput._make(None if tensor is None else tensor[fitted] for tensor in output)
    fusion = fit_fusion(first, target[fitted], model.config.fusion)
    accuracy = {
        modality: _accuracy(probability_NK, target)
        for modality, probability_NK in fusion.probabilities(output).items()
    }
    r_at_1 = _mean_r_at_1(output, label_N)
    return {
        "r_at_1": r_at_1,
        **{f"accuracy_{modality}": value for modality, value in accuracy.items()},
        "score": (r_at_1 + accuracy["fused"]) / 2,
    }


def _accuracy(score_NK: Tensor, target: Tensor) -> float:
    if target.dim() == 2:
        shared_N = shared_in_top(score_NK.cpu().numpy(), target.cpu().numpy(), SHARED_TOP)
        return float(shared_N.mean())
    return (score_NK.argmax(dim=1) == target).double().mean().item()


def _mean_r_at_1(output: HuseOutput, label_N: Tensor) -> float:
    itself_N = torch.arange(len(label_N), device=label_N.device)
    recalls = []
    for query_ND in (output.image_BD, output.text_BD):
        for gallery_ND in (output.image_BD, output.text_BD):
            within = itself_N if query_ND is gallery_ND else None
            found = nearest(query_ND, gallery_ND, 1, query_group_M=within, gallery_group_N=within)
            recalls.append(class_hits(found.indices, label_N, label_N, [1]).double().mean().item())
    return sum(recalls) / len(recalls)
