"""The unit of work: some pictures -> rows of the store. Every engine runs this and nothing else.

Shape letters: B batch, S side of the input, I image feature.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.core.allocator import keep_freed_memory
from pipeline.core.location import REMOTE_READERS, Location, RemotePath, locate
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.picture_encoder import NOT_FINITE, PictureEncoder, Square, are_finite
from pipeline.image_features.picture_list import CHANGED
from pipeline.image_features.recipe import Recipe, row_key
from pipeline.image_features.runtimes.open import open_runner
from pipeline.pictures.file import UnreadableImageError, machine_trouble, read_picture

SHARED_ONNX_FILE = "model.onnx"
"""The ONNX file, beside the vectors of a store that machines without the file reach."""
FLUSH_SECONDS = 2.0
"""A killed process loses at most what it did in so many seconds."""

_FLUSH_ROWS = 1024
# A chunk that ends within a batch has the network run over rows that nobody asked for.
_BATCH, _MOST_AT_ONCE = 8, 256


class Job(NamedTuple):
    """One picture to extract."""

    image: str
    """Below the folder of the pictures."""
    digest: str
    """Sha256 of the file in hex."""
    views: list[int]
    """Those that the store lacks."""


@dataclass(frozen=True)
class WorkPlan:
    """What a process needs to know to do jobs; it travels."""

    images: str
    """Address of the folder of the pictures."""
    recipe: Recipe
    onnx_file: str
    """The ONNX file; not there for the runtime torch."""
    store: str
    """Address of the store."""
    augment: str
    device: str
    """`cpu` or `cuda`."""
    batch_size: int | None
    """None: what suits the device."""


Failures = list[tuple[str, str]]
"""Digest and reason of each picture that cannot be used."""
Views = tuple[int, list[np.ndarray]]
"""Width times height of a picture, and [S, S, 3] uint8 per view."""


def job_chunks(jobs: Sequence[Job], workers: int) -> list[Sequence[Job]]:
    """Divide the work into what a thread or a process is given at a time, all jobs in order.

    There are many chunks per worker, so that all of them end at about the same time.
    """
    size = min(_MOST_AT_ONCE, len(jobs) // (16 * workers) // _BATCH * _BATCH)
    size = max(_BATCH, size)
    return [jobs[start : start + size] for start in range(0, len(jobs), size)]


def run_chunk(plan: WorkPlan, jobs: Sequence[Job]) -> Failures:
    """Do jobs in a process that does many chunks: it loads its network for the first.

    Raises:
        InputError: As `Worker`.
    """
    return _worker(plan).run(jobs, lambda done: None)


@cache
def _worker(plan: WorkPlan) -> "Worker":
    return Worker(plan)


class Worker:
    """A process's own network and its way to the store, for any number of threads."""

    def __init__(self, plan: WorkPlan, threads: int = 1) -> None:
        """Load the network.

        Args:
            plan: What there is to do.
            threads: Threads that will call `run` at the same time.

        Raises:
            InputError: The weights are gone or have changed, or the ONNX file is not here.
        """
        # Every picture and every activation is a block that the next one can take over.
        keep_freed_memory()
        home = locate(plan.store, "machine.vector_store")
        onnx_file: Location = Path(plan.onnx_file)
        if not onnx_file.exists() and isinstance(home, RemotePath):
            onnx_file = home / SHARED_ONNX_FILE
        runner = open_runner(plan.recipe, onnx_file, plan.device, plan.batch_size, threads=threads)
        self._encoder = PictureEncoder(plan.recipe, runner)
        self._store = VectorStore(home)
        self._images = locate(plan.images, "catalog.images")
        self._augment = plan.augment

    def run(self, jobs: Iterable[Job], progress: Callable[[int], None]) -> Failures:
        """Extract pictures and store their vectors.

        Args:
            jobs: Pictures; where they end early, what was read of them is done.
            progress: Called with the number of pictures whose vectors are safe on disk.

        Raises:
            InputError: The store cannot be written to, another filesystem does not answer, or this
                machine has run out of something.
        """
        failures: Failures = []
        rows: list[tuple[bytes, int, np.ndarray]] = []
        flushed = time.monotonic()
        squares = self._squares(jobs, failures)
        for names, vector_BI in self._encoder.run(squares):
            for (digest, *name), row, finite in zip(
                names, vector_BI, are_finite(vector_BI), strict=True
            ):
                if finite:
                    rows.append((*name, row))
                else:
                    failures.append((digest, NOT_FINITE))
            # By rows as well as by time: on a fast device a second is much memory.
            if len(rows) >= _FLUSH_ROWS or time.monotonic() - flushed > FLUSH_SECONDS:
                self._flush(rows, progress)
                rows, flushed = [], time.monotonic()
        self._flush(rows, progress)
        return failures

    def _flush(
        self, rows: list[tuple[bytes, int, np.ndarray]], progress: Callable[[int], None]
    ) -> None:
        if rows:
            keys, pixels, vectors = zip(*rows, strict=True)
            self._store.write(keys, np.stack(vectors), pixels)
            progress(len(rows))

    def _squares(self, jobs: Iterable[Job], failures: Failures) -> Iterator[Square]:
        """Views of all jobs, in order; pictures that cannot be used are noted."""
        for job, decoded in self._decoded(jobs):
            if isinstance(decoded, str):
                failures.append((job.digest, decoded))
                continue
            pixels, squares = decoded
            for view, square in zip(job.views, squares, strict=True):
                key = row_key(bytes.fromhex(job.digest), view, self._augment)
                yield Square((job.digest, key, pixels), square)

    def _decoded(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Views | str]]:
        # On a CPU the network takes all of a thread's core; a GPU has threads decode for it.
        threads = self._encoder.runner.decoders
        if isinstance(self._images, RemotePath):
            threads = max(threads, REMOTE_READERS)
        if not threads:
            for job in jobs:
                yield job, self._decode(job)
            return
        # Enough that the network never waits, and no more: each is a picture in memory.
        ahead = 2 * threads + self._encoder.runner.batch_size
        waiting: deque[tuple[Job, Future[Views | str]]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            for job in jobs:
                # Taken in the order of the jobs, whichever is decoded first: so are the results.
                waiting.append((job, pool.submit(self._decode, job)))
                if len(waiting) > ahead:
                    first, decoded = waiting.popleft()
                    yield first, decoded.result()
            for first, decoded in waiting:
                yield first, decoded.result()

    def _decode(self, job: Job) -> Views | str:
        try:
            data = read_picture(self._images / job.image)
            # The vector would be stored under the name of a picture that it is not of.
            if hashlib.sha256(data).hexdigest() != job.digest:
                return CHANGED
            with machine_trouble(self._images / job.image):
                return self._encoder.views(data, job.digest, job.views, self._augment)
        except UnreadableImageError as error:
            return str(error)
