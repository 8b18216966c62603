"""Encode a catalogue's texts with a fitted encoder, block file by block file.

Shape letters: M texts, E features.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.core.block import Block, finite_rows
from pipeline.core.errors import InputError
from pipeline.core.vector_store import Row, VectorStore
from pipeline.encoders.encoder import TextEncoder
from pipeline.features.text_file import write_block

PIECE = 2**15
"""Texts whose features are in memory at a time."""
SHOWN = 80
"""Characters of a text in a message."""


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

    Features of a text of which an encoder with the same fingerprint has seen the same before are
    taken from the cache. They can differ from new ones in the last bits, which depend on the texts
    that share a forward pass.

    Args:
        path: The block's Parquet file.
        name: The block's name, which is that of its section of params.yaml.
        encoder: The fitted encoder.
        item_ids: N ids.
        texts: N texts in the same order.
        metadata: What made the features.
        cache: Folder of features that are kept between runs.

    Returns:
        Counts.

    Raises:
        InputError: The file or the cache cannot be written, or features are not finite (names
            the item).
    """
    if encoder.fingerprint is None:
        blocks = (encoder.encode(texts[rows]) for rows in _slices(len(texts)))
        reused = 0
    else:
        home = cache / hashlib.sha256(encoder.fingerprint.encode()).hexdigest()[:32]
        store = VectorStore(home, " ".join([name, metadata.get("model", "")]).strip())
        # Half a digest: among billions of texts no two share it, and a million keys stay small.
        keys = [
            hashlib.sha256(seen).digest()[:16]
            for rows in _slices(len(texts))
            for seen in encoder.seen(texts[rows])
        ]
        # Where they are, not what they are: vectors are read piece by piece.
        earlier = store.find(set(keys))
        blocks = (
            _complete(encoder, keys[rows], texts[rows], earlier, store)
            for rows in _slices(len(texts))
        )
        reused = sum(key in earlier for key in keys)
    pieces = (
        (item_ids[rows], _all_finite(block, name, item_ids[rows], texts[rows]))
        for rows, block in zip(_slices(len(texts)), blocks, strict=True)
    )
    return BlockSummary(*write_block(path, name, pieces, metadata), reused)


def _slices(count: int) -> Iterator[slice]:
    for start in range(0, max(count, 1), PIECE):
        yield slice(start, start + PIECE)


def _complete(
    encoder: TextEncoder,
    keys: Sequence[bytes],
    texts: Sequence[str],
    earlier: Mapping[bytes, Row],
    store: VectorStore,
) -> np.ndarray:
    # Titles repeat: each distinct text is encoded once.
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in earlier}
    new_ME = np.asarray(encoder.encode(list(new.values())))
    # Piece by piece, so that a killed run goes on where it stopped.
    finite_M = finite_rows(new_ME)
    store.write(list(compress(new, finite_M)), new_ME[finite_M])
    row_of = {key: row for row, key in enumerate(new)}
    vector_NE = np.empty((len(texts), new_ME.shape[1]), dtype=np.float32)
    is_new_N = np.array([key in row_of for key in keys], dtype=bool)
    vector_NE[is_new_N] = new_ME[[row_of[key] for key in keys if key in row_of]]
    if not is_new_N.all():
        vector_NE[~is_new_N] = store.read([earlier[key] for key in keys if key in earlier])
    return vector_NE


def _all_finite(block: Block, name: str, item_ids: Sequence[str], texts: Sequence[str]) -> Block:
    broken = np.flatnonzero(~finite_rows(block))
    if len(broken):
        row = int(broken[0])
        others = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise InputError(
            f"text.{name}: features are not finite for item {item_ids[row]!r}{others}, whose text "
            f"is {texts[row][:SHOWN]!r}; choose another model, precision or vectors, or change the "
            "text"
        )
    return block
