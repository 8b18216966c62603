"""Encode a catalogue's texts with a fitted encoder, block file by block file.

Shape letters: M texts, E features.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from pipeline.core.block import Block, finite_rows
from pipeline.core.errors import InputError
from pipeline.core.vector_store import VectorStore
from pipeline.encoders.encoder import TextEncoder
from pipeline.features.text_file import write_block
from pipeline.text_features.engines import ENGINES

PIECE = 2**15
"""Texts whose features are in memory at a time."""
CHUNK = 512
"""Texts that a slow encoder is given at a time, wherever that is done. Which texts share a forward
pass decides the last bits of their features, so the number is the same for every machine; sixteen
batches as shipped, ordered by length, still hold texts of about one length."""
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
    engine: str,
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
        engine: Where a slow encoder runs, which changes no feature; one of ENGINES.

    Returns:
        Counts.

    Raises:
        InputError: The file or the cache cannot be written, or features are not finite (names
            the item), or the engine is not there.
    """
    if encoder.fingerprint is None:
        blocks = (encoder.encode(texts[rows]) for rows in _slices(len(texts), PIECE))
        reused = 0
    else:
        home = cache / hashlib.sha256(encoder.fingerprint.encode()).hexdigest()[:32]
        store = VectorStore(home, " ".join([name, metadata.get("model", "")]).strip())
        # Half a digest: among billions of texts no two share it, and a million keys stay small.
        keys = [
            hashlib.sha256(seen).digest()[:16]
            for rows in _slices(len(texts), PIECE)
            for seen in encoder.seen(texts[rows])
        ]
        # Where they are, not what they are: vectors are read piece by piece.
        found = store.find(set(keys))
        reused = sum(key in found for key in keys)
        # Titles repeat: each distinct text is encoded once.
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if new:
            _encode_new(encoder, new, store, engine, name)
            found = store.find(set(keys))
            _refuse(
                [row for row, key in enumerate(keys) if key not in found], name, item_ids, texts
            )
        blocks = (
            store.read([found[key] for key in keys[rows]]) if keys else encoder.encode([])
            for rows in _slices(len(texts), PIECE)
        )
    pieces = (
        (item_ids[rows], _all_finite(block, name, item_ids[rows], texts[rows]))
        for rows, block in zip(_slices(len(texts), PIECE), blocks, strict=True)
    )
    return BlockSummary(*write_block(path, name, pieces, metadata), reused)


def _slices(count: int, size: int) -> Iterator[slice]:
    for start in range(0, max(count, 1), size):
        yield slice(start, start + size)


def _encode_new(
    encoder: TextEncoder, new: Mapping[bytes, str], store: VectorStore, engine: str, name: str
) -> None:
    """Store the features of texts under their keys, of those whose features are finite."""
    keys, texts = list(new), list(new.values())
    slices = list(_slices(len(keys), CHUNK))
    blocks = ENGINES[engine](encoder, [texts[rows] for rows in slices])
    silent = None if len(slices) > 1 else True
    with tqdm(total=len(keys), desc=f"text.{name}", unit="text", disable=silent) as bar:
        for rows, block_ME in zip(slices, blocks, strict=True):
            # Chunk by chunk, so that a killed run goes on where it stopped.
            finite_M = finite_rows(block_ME)
            store.write(list(compress(keys[rows], finite_M)), block_ME[finite_M])
            bar.update(len(block_ME))


def _all_finite(block: Block, name: str, item_ids: Sequence[str], texts: Sequence[str]) -> Block:
    _refuse(np.flatnonzero(~finite_rows(block)).tolist(), name, item_ids, texts)
    return block


def _refuse(
    broken: Sequence[int], name: str, item_ids: Sequence[str], texts: Sequence[str]
) -> None:
    """Name the first text whose features cannot be used, if there is any."""
    if broken:
        row = broken[0]
        others = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise InputError(
            f"text.{name}: features are not finite for item {item_ids[row]!r}{others}, whose text "
            f"is {texts[row][:SHOWN]!r}; choose another model, precision or vectors, or change the "
            "text"
        )
