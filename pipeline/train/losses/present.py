"""The embeddings that a batch really has, where items may lack their picture or their text.

Shape letters: B items of a batch, N embeddings, P items with both, D embedding.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.gap import gap_loss


def embeddings(output: TowersOutput, label_B: Tensor) -> tuple[Tensor, Tensor]:
    """[N, D] embeddings of both modalities, pictures first, and the [N] class of each."""
    present = output.present
    if present is None:
        return torch.cat([output.image_BD, output.text_BD]), torch.cat([label_B, label_B])
    image_B, text_B = present
    embedding_ND = torch.cat([output.image_BD[image_B], output.text_BD[text_B]])
    return embedding_ND, torch.cat([label_B[image_B], label_B[text_B]])


def of_pairs(
    loss: Callable[[Tensor, Tensor, Tensor], Tensor], output: TowersOutput, label_B: Tensor
) -> Tensor:
    """Compute a loss over the items that have both, 0 where a batch has none.

    Args:
        loss: Takes [P, D] image embeddings, [P, D] text embeddings, and the [P] class of each.
        output: Forward pass of a batch.
        label_B: [B] int64 classes.
    """
    if output.present is None:
        return loss(output.image_BD, output.text_BD, label_B)
    both_B = output.present.both_N
    if not both_B.any():
        return (output.image_BD.sum() + output.text_BD.sum()) * 0.0
    return loss(output.image_BD[both_B], output.text_BD[both_B], label_B[both_B])


def gap_of_pairs(output: TowersOutput, label_B: Tensor) -> Tensor:
    """Cross-modal gap loss (HUSE eq. 12) of the items that have both."""
    return of_pairs(lambda image_PD, text_PD, _: gap_loss(image_PD, text_PD), output, label_B)
