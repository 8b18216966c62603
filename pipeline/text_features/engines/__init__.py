"""Registry of engines: where chunks of texts are encoded. One line each."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pipeline.encoders.encoder import TextEncoder
from pipeline.text_features.engines.local import encode_local
from pipeline.text_features.engines.ray import encode_by_ray

ENGINES: dict[str, Callable[[TextEncoder, Sequence[Sequence[str]]], Iterator[np.ndarray]]] = {
    "local": encode_local,
    "ray": encode_by_ray,
}
