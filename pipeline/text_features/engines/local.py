"""Texts are encoded in this process, whose network takes all cores or the GPU.

Shape letters: M texts of a chunk, E features.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.encoders.encoder import TextEncoder


def encode_local(encoder: TextEncoder, chunks: Sequence[Sequence[str]]) -> Iterator[np.ndarray]:
    """Encode chunk after chunk, each as [M, E] float32."""
    for chunk in chunks:
        yield np.asarray(encoder.encode(chunk))
