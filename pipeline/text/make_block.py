"""Encode a catalogue's texts with a fitted encoder, block file by block file.

Shape letters: M texts, E features.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.text.block_file import write_block
from pipeline.text.encoders.encoder import TextEncoder
from pipeline.text.kept_vectors import KeptVectors, text_key

PIECE = 2**15
"""Texts whose features are in memory at a time."""


class BlockSummary(NamedTuple):
    """What a run did."""

    texts: int
    features: int
    """E."""
    empty: int
    """Texts whose features are all zero: they have no word that the encoder knows."""
    reused: int
    """Texts whose features an earlier run had made."""


def make_block(
    path: Path,
    name: str,
    encoder: TextEncoder,
    item_ids: Sequence[str],
    texts: Sequence[str],
    metadata: Mapping[str, str],
    cache: Path,
) -> BlockSummary:
    """Write the features of all texts; a slow encoder encodes only those that it has not before.

    Features of the same text by an encoder with the same fingerprint are taken from the cache.
    They can differ from new ones in the last bits, which depend on the texts that share a forward
    pass.

    Args:
        path: The block's Parquet file.
        name: The block's name.
        encoder: The fitted encoder.
        item_ids: N ids.
        texts: N texts in the same order.
        metadata: What made the features.
        cache: Folder of features that are kept between runs.

    Returns:
        Counts.

    Raises:
        InputError: The file or the cache cannot be written.
    """
    if encoder.fingerprint is None:
        new = ((item_ids[rows], encoder.encode(texts[rows])) for rows in _slices(len(texts)))
        return BlockSummary(*write_block(path, name, new, metadata), 0)
    kept = KeptVectors(cache, encoder.fingerprint)
    keys = [text_key(text) for text in texts]
    earlier = kept.find(set(keys))
    pieces = (
        (item_ids[rows], _complete(encoder, keys[rows], texts[rows], earlier, kept))
        for rows in _slices(len(texts))
    )
    counts = write_block(path, name, pieces, metadata)
    return BlockSummary(*counts, sum(key in earlier for key in keys))


def _slices(count: int) -> Iterator[slice]:
    for start in range(0, max(count, 1), PIECE):
        yield slice(start, start + PIECE)


def _complete(
    encoder: TextEncoder,
    keys: Sequence[bytes],
    texts: Sequence[str],
    earlier: Mapping[bytes, np.ndarray],
    kept: KeptVectors,
) -> np.ndarray:
    # Titles repeat: each distinct text is encoded once.
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in earlier}
    vector_ME: np.ndarray = np.asarray(encoder.encode(list(new.values())))
    # Piece by piece, so that a killed run goes on where it stopped.
    kept.write(list(new), vector_ME)
    made: dict[bytes, np.ndarray] = dict(zip(new, vector_ME, strict=True))
    if not texts:
        return vector_ME
    return np.stack([made[key] if key in made else earlier[key] for key in keys])
