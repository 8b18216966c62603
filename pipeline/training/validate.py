"""What is watched while training: retrieval and accuracy on the validation split.

Shape letters: N items, D embedding.
"""

import torch
from torch import Tensor

from pipeline.dataset.pairs import Pairs
from pipeline.errors import InputError
from pipeline.metrics.retrieval import class_hits, nearest
from pipeline.models.huse import Huse, HuseOutput

MAX_ITEMS = 4096
"""Retrieval is quadratic; so many validation items tell the epochs apart well enough."""


def validate(model: Huse, pairs: Pairs) -> dict[str, float]:
    """Measure a model on validation items.

    Args:
        model: Left in evaluation mode.
        pairs: Validation items; the first `MAX_ITEMS` are used.

    Returns:
        `r_at_1` (mean of the four directions); `accuracy_image`, `accuracy_text` and
        `accuracy_fused` (plain average of the softmax outputs, or the one prediction from both);
        `score`, the mean of `r_at_1` and `accuracy_fused`.

    Raises:
        InputError: An embedding is not finite, as after a step that was too long.
    """
    model.eval()
    with torch.inference_mode():
        output = model(pairs.image_NI[:MAX_ITEMS], pairs.text_NT[:MAX_ITEMS])
    if not (output.image_BD.isfinite().all() and output.text_BD.isfinite().all()):
        raise InputError(
            "train: validation embeddings are not finite; lower train.lr, or look for extreme "
            "values in the features"
        )
    label_N = pairs.label_N[:MAX_ITEMS]
    image_NK = output.image_logits_BK.softmax(dim=1)
    text_NK = output.text_logits_BK.softmax(dim=1)
    fused_NK = output.fused_logits_BK if output.fused_logits_BK is not None else image_NK + text_NK
    accuracy_fused = _accuracy(fused_NK, label_N)
    r_at_1 = _mean_r_at_1(output, label_N)
    return {
        "r_at_1": r_at_1,
        "accuracy_image": _accuracy(image_NK, label_N),
        "accuracy_text": _accuracy(text_NK, label_N),
        "accuracy_fused": accuracy_fused,
        "score": (r_at_1 + accuracy_fused) / 2,
    }


def _accuracy(score_NK: Tensor, label_N: Tensor) -> float:
    return (score_NK.argmax(dim=1) == label_N).double().mean().item()


def _mean_r_at_1(output: HuseOutput, label_N: Tensor) -> float:
    itself_N = torch.arange(len(label_N), device=label_N.device)
    recalls = []
    for query_ND in (output.image_BD, output.text_BD):
        for gallery_ND in (output.image_BD, output.text_BD):
            within = itself_N if query_ND is gallery_ND else None
            found = nearest(query_ND, gallery_ND, 1, query_group_M=within, gallery_group_N=within)
            recalls.append(class_hits(found.indices, label_N, label_N, [1]).double().mean().item())
    return sum(recalls) / len(recalls)
