"""Projection loss: both modalities are mapped onto the embedding of the class name.

Shape letters: B items of a batch, N embeddings, D embedding, K classes.
"""

from torch import Tensor

from pipeline.core.distance import paired
from pipeline.train.losses.labels import check_labels_on_cpu


def projection_loss(embedding_ND: Tensor, class_embedding_KD: Tensor, label_N: Tensor) -> Tensor:
    """Distance from an item's two embeddings to its class name's, their sum (HUSE eq. 13).

        L_proj = 1 / B * sum_n [d(image_n, psi(v_y)) + d(text_n, psi(v_y))],  y = y_n

    Where items lack one of the two it is twice the mean over the embeddings that there are.

    It is the whole of DeViSE*, the rival HIE* together with a classification loss per modality,
    and takes the place of L_graph in HUSE-P. The towers' embeddings need psi's dimension, as they
    are projected onto psi's fixed space.

    Args:
        embedding_ND: [N, D] float, rows of unit norm: of pictures and of texts.
        class_embedding_KD: [K, D] float, psi: embeddings of the class names, rows of unit norm.
        label_N: [N] int64 in [0, K); on the CPU they are checked.

    Raises:
        ValueError: The dimensions differ, or a label is wrong.
    """
    if embedding_ND.shape[1] != class_embedding_KD.shape[1]:
        raise ValueError(
            "embeddings of items and of class names need one dimension, got "
            f"{embedding_ND.shape[1]} and {class_embedding_KD.shape[1]}"
        )
    check_labels_on_cpu(label_N, len(class_embedding_KD))
    return 2 * paired(embedding_ND, class_embedding_KD[label_N]).mean()
