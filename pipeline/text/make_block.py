"""Encode a catalogue's texts with a fitted encoder, block file by block file.

Shape letters: M texts, E features.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.text.block_file import read_earlier, write_block
from pipeline.text.encoders.encoder import Block, TextEncoder

PIECE = 2**15
"""Texts whose features are in memory at a time."""

Piece = tuple[Sequence[str], Sequence[bytes], Block]


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
) -> BlockSummary:
    """Write the features of all texts, of a slow encoder only those that are not there already.

    The block's own file is the store of an earlier run: features of a text with the same digest
    by an encoder with the same fingerprint are taken over. They can differ from new ones in the
    last bits, which depend on the texts that share a forward pass.

    Args:
        path: The block's Parquet file; may hold the features of an earlier run.
        name: The block's name.
        encoder: The fitted encoder.
        item_ids: N ids.
        texts: N texts in the same order.
        metadata: What made the features.

    Returns:
        Counts.

    Raises:
        InputError: The file cannot be written.
    """
    noted = dict(metadata)
    digests = [hashlib.sha256(text.encode()).digest()[:16] for text in texts]
    earlier: dict[bytes, np.ndarray] = {}
    if encoder.fingerprint is not None:
        noted["fingerprint"] = hashlib.sha256(encoder.fingerprint.encode()).hexdigest()
        earlier = read_earlier(path, name, noted["fingerprint"], set(digests))
    pieces = _pieces(encoder, item_ids, digests, texts, earlier)
    counts = write_block(path, name, pieces, noted)
    return BlockSummary(*counts, sum(digest in earlier for digest in digests))


def _pieces(
    encoder: TextEncoder,
    item_ids: Sequence[str],
    digests: Sequence[bytes],
    texts: Sequence[str],
    earlier: Mapping[bytes, np.ndarray],
) -> Iterator[Piece]:
    for start in range(0, max(len(texts), 1), PIECE):
        rows = slice(start, start + PIECE)
        block = _encode(encoder, digests[rows], texts[rows], earlier)
        yield item_ids[rows], digests[rows], block


def _encode(
    encoder: TextEncoder,
    digests: Sequence[bytes],
    texts: Sequence[str],
    earlier: Mapping[bytes, np.ndarray],
) -> Block:
    if encoder.fingerprint is None:
        return encoder.encode(texts)
    # Titles repeat: each distinct text is encoded once.
    new = {d: t for d, t in zip(digests, texts, strict=True) if d not in earlier}
    vector_ME: np.ndarray = np.asarray(encoder.encode(list(new.values())))
    made: dict[bytes, np.ndarray] = dict(zip(new, vector_ME, strict=True))
    if not texts:
        return vector_ME
    return np.stack([made[d] if d in made else earlier[d] for d in digests])
