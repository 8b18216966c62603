"""Texts are encoded on a Ray cluster, for catalogues that keep one machine busy for long.

Every node needs the project's packages, and of an encoder without a network the model, under the
same name or path. A chunk is encoded whole, so that the numbers are the local engine's: a library's
model runs on as many threads as here; those of a network, which Ray limits to the cores that the
task has taken, change no number.

Shape letters: M texts of a chunk, E features.
"""

import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.ray_cluster import join_ray
from pipeline.encoders.encoder import TextEncoder

_ENCODER_OF: dict[str, TextEncoder] = {}
"""In a node's process: the encoder of the latest run, whose model is loaded once."""


def encode_by_ray(encoder: TextEncoder, chunks: Sequence[Sequence[str]]) -> Iterator[np.ndarray]:
    """Encode chunks on all nodes at once, each as [M, E] float32; they come in their order.

    What a lost node had not sent is done again by another.

    Args:
        encoder: One with a network; it runs on the kind of device that it has been made on.
        chunks: Texts that are encoded together.

    Raises:
        InputError: Ray is not installed, or a node lacks the model.
    """
    import torch

    ray = join_ray()
    threads = torch.get_num_threads()
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = 1 if encoder.device == "cuda" else 0
    # A node with fewer cores than this machine has to do: it takes longer.
    cpus = 1 if gpus else min(threads, max(int(node.get("CPU", 1)) for node in nodes))
    kind, each = ("GPU", 1) if gpus else ("CPU", cpus)
    at_once = sum(int(node.get(kind, 0)) // each for node in nodes)
    encode = ray.remote(num_cpus=cpus, num_gpus=gpus)(_encode)
    maker, run = ray.put(encoder.maker()), uuid.uuid4().hex
    # Vectors that wait for those before them are kept in memory: no more than keep nodes busy.
    waiting: deque[Any] = deque()
    for chunk in chunks:
        waiting.append(encode.remote(maker, run, threads, chunk))
        if len(waiting) > 2 * max(1, at_once):
            yield _received(ray.get(waiting.popleft()))
    while waiting:
        yield _received(ray.get(waiting.popleft()))


def _received(answer: np.ndarray | str) -> np.ndarray:
    if isinstance(answer, str):
        raise InputError(answer)
    return answer


def _encode(
    maker: Callable[[], TextEncoder], run: str, threads: int, texts: Sequence[str]
) -> np.ndarray | str:
    import torch

    # Sums differ in the last bits by the number of threads.
    torch.set_num_threads(threads)
    try:
        if run not in _ENCODER_OF:
            _ENCODER_OF.clear()
            _ENCODER_OF[run] = maker()
        return np.asarray(_ENCODER_OF[run].encode(texts))
    except InputError as error:
        # Ray would make a traceback of the user's one line.
        return str(error)
