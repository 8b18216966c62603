"""The best of every row, in order.

Greater scores come first, equal scores by lower gallery index, in all of `pipeline/metrics`. So a
space in which all points coincide scores like a fixed guess: nobody is placed first by a tie.

Shape letters: N gallery items, B queries of one block, T of these whose last place is tied, K
results, P pairs, S strips, W columns of a strip.
"""

from math import isqrt

import torch
from torch import Tensor


def best_columns(score_BN: Tensor, k: int) -> Tensor:
    """List the k best gallery items of every query, in order.

    Args:
        score_BN: [B, N] float32, greater is better.
        k: 1..N.

    Returns:
        [B, k] int64 gallery index, by falling score, equal scores by rising index.
    """
    N = score_BN.shape[1]
    if k == N:
        return _best_by_key(score_BN, k)
    # One result more than asked for shows whether position k is tied with the next.
    index_BK = _best_unordered(score_BN, k + 1)
    value_BK, position_BK = score_BN.gather(1, index_BK).sort(dim=1, descending=True)
    index_BK = index_BK.gather(1, position_BK[:, :k])
    key_BK = order_key(value_BK[:, :k], index_BK)
    index_BK = index_BK.gather(1, key_BK.argsort(dim=1, descending=True))
    last_B, next_B = value_BK[:, k - 1], value_BK[:, k]
    tied = ((last_B == next_B) & (last_B > -torch.inf)).nonzero()[:, 0]
    if len(tied) > 0:
        better_T = (value_BK[tied, :k] > last_B[tied, None]).sum(dim=1)
        index_BK[tied] = _lowest_of_tied(
            index_BK[tied], better_T, score_BN[tied] == last_B[tied, None]
        )
    return index_BK


def order_key(score: Tensor, index: Tensor) -> Tensor:
    """Turn float32 scores and their gallery indices into int64; greater means earlier in results.

    The score's order is in the upper 32 bits, the index counted down in the lower.
    """
    # Adding zero makes -0.0 equal to 0.0. The bits of a positive float sort like an integer, those
    # of a negative one in reverse.
    bits = (score + 0.0).view(torch.int32)
    ascending = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    return (ascending.to(torch.int64) << 32) | (0xFFFFFFFF - index)


def _best_by_key(score_BN: Tensor, k: int) -> Tensor:
    """As `best_columns`, several times slower."""
    index_N = torch.arange(score_BN.shape[1], device=score_BN.device)
    return order_key(score_BN, index_N).topk(k, dim=1).indices


def _lowest_of_tied(index_TK: Tensor, better_T: Tensor, tied_TN: Tensor) -> Tensor:
    """Let the lowest indices follow the first `better_T` results, of all that tie behind them."""
    row_P, column_P = tied_TN.nonzero(as_tuple=True)  # row by row, by rising index
    count_T = tied_TN.sum(dim=1)
    place_P = torch.arange(len(row_P), device=row_P.device) - (count_T.cumsum(0) - count_T)[row_P]
    place_P = place_P + better_T[row_P]
    kept_P = place_P < index_TK.shape[1]
    index_TK[row_P[kept_P], place_P[kept_P]] = column_P[kept_P]
    return index_TK


def _best_unordered(score_BN: Tensor, k: int) -> Tensor:
    """Indices whose scores are the k greatest of every row; among equal scores any of them.

    The columns are cut into strips of equal length, so that column w of all strips is one group.
    The k greatest scores lie in the k groups with the greatest maximum: a maximum is one pass at
    memory speed, and the selection, which is slow, sees few columns.
    """
    N = score_BN.shape[1]
    strips = isqrt(N // k)
    if strips < 4:
        return score_BN.topk(k, dim=1, sorted=False).indices
    W = N // strips
    maximum_BW = score_BN[:, : strips * W].unflatten(1, (strips, W)).amax(1)
    group_BK = maximum_BW.topk(k, dim=1, sorted=False).indices
    offset_S = torch.arange(0, strips * W, W, device=score_BN.device)
    rest = torch.arange(strips * W, N, device=score_BN.device).expand(len(score_BN), -1)
    candidate_BP = torch.cat(((group_BK[:, :, None] + offset_S).flatten(1), rest), dim=1)
    chosen_BK = score_BN.gather(1, candidate_BP).topk(k, dim=1, sorted=False).indices
    return candidate_BP.gather(1, chosen_BK)
