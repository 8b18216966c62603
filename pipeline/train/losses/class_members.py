"""The items of each item's class, as a table: what triplet losses call the positives.

Shape letters: N items, P items of the largest class, U distinct classes in the batch.
"""

import torch
from torch import Tensor


def class_members(label_N: Tensor) -> tuple[Tensor, Tensor]:
    """List, for every item, the items of its class (itself included).

    Returns:
        Positions [N, P] int64, in ascending order per row, where P is the size of the largest
        class; and [N, P] bool, False where a smaller class's row is padded with position 0.
    """
    order_N = torch.argsort(label_N, stable=True)
    _, class_N, size_U = torch.unique(label_N, return_inverse=True, return_counts=True)
    start_U = size_U.cumsum(0) - size_U
    slot_P = torch.arange(int(size_U.max()), device=label_N.device)
    is_member_UP = slot_P < size_U[:, None]
    member_UP = order_N[(start_U[:, None] + slot_P) * is_member_UP] * is_member_UP
    return member_UP[class_N], is_member_UP[class_N]
