"""The unit of work: some pictures -> rows of the store. Every engine runs this and nothing else.

Shape letters: B batch, S side of the input, I image feature.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.core.allocator import keep_freed_memory
from pipeline.core.location import Location, RemotePath, locate
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.decoder import Decode, Decoder, decode_here
from pipeline.image_features.jobs import Failures, Job, Views, WorkPlan
from pipeline.image_features.picture_encoder import NOT_FINITE, PictureEncoder, Square, are_finite
from pipeline.image_features.recipe import row_key
from pipeline.image_features.runtimes.open import open_runner

SHARED_ONNX_FILE = "model.onnx"
"""The ONNX file, beside the vectors of a store that machines without the file reach."""
FLUSH_SECONDS = 2.0
"""A killed process loses at most what it did in so many seconds."""

_FLUSH_ROWS = 1024


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
        self._augment = plan.augment
        self._device = plan.device
        self._decoder = Decoder(plan)

    def run(
        self,
        jobs: Iterable[Job],
        progress: Callable[[int], None],
        decode: Decode | None = None,
    ) -> Failures:
        """Extract pictures and store their vectors.

        Args:
            jobs: Pictures; where they end early, what was read of them is done.
            progress: Called with the number of pictures whose vectors are safe on disk.
            decode: What decodes the pictures; None: this process does.

        Raises:
            InputError: The store cannot be written to, another filesystem does not answer, or this
                machine has run out of something.
        """
        if decode is None:
            with decode_here(self._decoder, self._device) as decode:
                return self.run(jobs, progress, decode)
        failures: Failures = []
        rows: list[tuple[bytes, int, np.ndarray]] = []
        flushed = time.monotonic()
        squares = self._squares(decode(jobs, self._encoder.runner.batch_size), failures)
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

    def _squares(
        self, results: Iterable[tuple[Job, Views | str]], failures: Failures
    ) -> Iterator[Square]:
        """Views of all jobs, in order; pictures that cannot be used are noted."""
        for job, decoded in results:
            if isinstance(decoded, str):
                failures.append((job.digest, decoded))
                continue
            pixels, squares = decoded
            for view, square in zip(job.views, squares, strict=True):
                key = row_key(bytes.fromhex(job.digest), view, self._augment)
                yield Square((job.digest, key, pixels), square)
