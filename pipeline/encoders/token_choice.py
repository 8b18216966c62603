"""Which tokens of a long text a transformer gets to see.

Shape letters: L tokens of a text, P tokens kept, V token vocabulary.
"""

from collections.abc import Iterable

import numpy as np


def token_idf(texts: Iterable[np.ndarray], vocabulary: int) -> np.ndarray:
    """Inverse document frequencies of V tokens, as scikit-learn smooths them.

    Returns:
        [V] float32: ln((1 + n) / (1 + df)) + 1 over the n texts.
    """
    frequency_V = np.zeros(vocabulary, dtype=np.int64)
    count = 0
    for ids_L in texts:
        frequency_V[np.unique(ids_L)] += 1
        count += 1
    return (np.log((1 + count) / (1 + frequency_V)) + 1).astype(np.float32)


def choose_tokens(
    ids_L: np.ndarray,
    special_L: np.ndarray,
    most: int,
    idf_V: np.ndarray | None,
    *,
    salient: bool,
) -> np.ndarray:
    """Choose tokens of one text; special tokens are always kept.

    Args:
        ids_L: [L] int64 token numbers.
        special_L: [L] bool: [CLS], [SEP] and their like.
        most: Tokens to keep, special ones included.
        idf_V: [V] float inverse document frequencies; None: all alike.
        salient: Keep the tokens of largest count x idf (HUSE section 2), of equal ones the first;
            otherwise the first ones.

    Returns:
        [P] int64 positions in the order of the text.
    """
    if len(ids_L) <= most:
        return np.arange(len(ids_L))
    own = np.flatnonzero(~special_L)
    if salient:
        _, inverse, counts = np.unique(ids_L[own], return_inverse=True, return_counts=True)
        score = counts[inverse] * (1.0 if idf_V is None else idf_V[ids_L[own]])
        own = own[np.argsort(-score, kind="stable")]
    room = max(0, most - int(special_L.sum()))
    return np.sort(np.concatenate([np.flatnonzero(special_L), own[:room]]))
