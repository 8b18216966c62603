"""Projection loss: both modalities are mapped onto the embedding of the class name.

Shape letters: B items of a batch, D embedding, K classes.
"""

from torch import Tensor

from pipeline.core.distance import paired
from pipeline.train.losses.labels import check_labels_on_cpu


def projection_loss(
    image_BD: Tensor, text_BD: Tensor, class_embedding_KD: Tensor, label_B: Tensor
) -> Tensor:
    """Mean distance from an item's two embeddings to its class name's (HUSE eq. 13).

        L_proj = 1 / B * sum_n [d(image_n, psi(v_y)) + d(text_n, psi(v_y))],  y = y_n

    It is the whole of DeViSE*, the rival HIE* together with a classification loss per modality,
    and takes the place of L_graph in HUSE-P. The towers' embeddings need psi's dimension, as they
    are projected onto psi's fixed space.

    Args:
        image_BD: [B, D] float, rows of unit norm.
        text_BD: [B, D] float, rows of unit norm.
        class_embedding_KD: [K, D] float, psi: embeddings of the class names, rows of unit norm.
        label_B: [B] int64 in [0, K); on the CPU they are checked.

    Raises:
        ValueError: The dimensions differ, or a label is wrong.
    """
    if not image_BD.shape[1] == text_BD.shape[1] == class_embedding_KD.shape[1]:
        raise ValueError(
            "image, text and class-name embeddings need one dimension, got "
            f"{image_BD.shape[1]}, {text_BD.shape[1]} and {class_embedding_KD.shape[1]}"
        )
    check_labels_on_cpu(label_B, len(class_embedding_KD))
    target_BD = class_embedding_KD[label_B]
    return (paired(image_BD, target_BD) + paired(text_BD, target_BD)).mean()
