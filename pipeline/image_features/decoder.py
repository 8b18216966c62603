"""Pictures of jobs -> squares for the network: where it wants them, or ahead of a GPU.

On a CPU a picture stays with one thread from the file to the vector. A GPU is faster than a thread
can decode, and threads wait for each other, since Pillow holds Python's lock for a third of the
time: on a machine of 16 cores one decoded 640 pictures a second, 4 decoded 1,530 and 16 decoded
1,100. So many pictures are decoded by processes.

Shape letters: S side of the input.
"""

import hashlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from itertools import islice
from threading import Thread
from typing import TypeVar

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.location import REMOTE_READERS, RemotePath, locate
from pipeline.image_features.augment import augmented
from pipeline.image_features.jobs import Job, Views, WorkPlan
from pipeline.image_features.picture_list import CHANGED
from pipeline.pictures.decode import decode_bytes
from pipeline.pictures.file import UnreadableImageError, machine_trouble, read_picture

CHUNK = 16
"""Pictures that a thread or a process is given at a time: one by one, handing them over would take
as long as decoding them."""
THREADS = 4
"""That decode for a GPU; more gain nothing, see above."""


Decode = Callable[[Iterable[Job], int], Iterator[tuple[Job, Views | str]]]
"""Jobs, and how many pictures the network takes at a time -> each with its views, or the reason why
it cannot be used, in the order of the jobs, which are read only as far as results are taken."""


class Decoder:
    """Reads pictures and makes their views; it is a `Decode` in the caller's thread."""

    def __init__(self, plan: WorkPlan) -> None:
        """Look up where the pictures are."""
        self.images = locate(plan.images, "catalog.images")
        self._recipe = plan.recipe
        self._augment = plan.augment

    def __call__(self, jobs: Iterable[Job], batch_size: int) -> Iterator[tuple[Job, Views | str]]:
        """Decode a job when its result is asked for."""
        return ((job, self.decode(job)) for job in jobs)

    def decode(self, job: Job) -> Views | str:
        """Make the views of a picture, or say why it cannot be used.

        Raises:
            InputError: Another filesystem does not answer, or this machine has run out of
                something.
        """
        try:
            data = read_picture(self.images / job.image)
            # The vector would be stored under the name of a picture that it is not of.
            if hashlib.sha256(data).hexdigest() != job.digest:
                return CHANGED
            with machine_trouble(self.images / job.image):
                return self._views(data, job)
        except UnreadableImageError as error:
            return str(error)

    def decode_all(self, jobs: Sequence[Job]) -> list[Views | str]:
        """Decode one after the other."""
        return [self.decode(job) for job in jobs]

    def _views(self, data: bytes, job: Job) -> Views:
        recipe = self._recipe
        image, pixels = decode_bytes(
            data, recipe.background, recipe.max_pixels, recipe.least_side()
        )
        # View 0 is the clean one.
        squares: list[np.ndarray] = [
            recipe.transform.square(image)
            if view == 0
            else augmented(
                image,
                recipe=self._augment,
                content_digest=bytes.fromhex(job.digest),
                view=view,
                transform=recipe.transform,
                background=recipe.background,
            )
            for view in job.views
        ]
        return pixels, squares


class DecodeAhead:
    """Threads or processes that decode what a network will want next; it is a `Decode`."""

    def __init__(
        self,
        executor: Executor,
        decode_all: Callable[[Sequence[Job]], list[Views | str]],
        workers: int,
        chunk: int = CHUNK,
    ) -> None:
        """Put a pool to work.

        Args:
            executor: The pool.
            decode_all: What it runs.
            workers: How many it has.
            chunk: Pictures that one is given at a time.
        """
        self._executor = executor
        self._decode_all = decode_all
        self._workers = workers
        self._chunk = chunk

    def __call__(self, jobs: Iterable[Job], batch_size: int) -> Iterator[tuple[Job, Views | str]]:
        """Decode jobs ahead of what is taken.

        Raises:
            InputError: As `Decoder.decode`.
            BrokenProcessPool: A process was killed.
        """
        # Enough that the network never waits, and no more: each is a picture in memory.
        ahead = 2 * self._workers + batch_size // self._chunk
        waiting: deque[tuple[list[Job], Future[list[Views | str]]]] = deque()
        for chunk in _chunks(jobs, self._chunk):
            waiting.append((chunk, self._executor.submit(self._decode_all, chunk)))
            if len(waiting) > ahead:
                yield from _results(*waiting.popleft())
        while waiting:
            yield from _results(*waiting.popleft())


@contextmanager
def decode_here(decoder: Decoder, device: str) -> Iterator[Decode]:
    """Decode in this process: by threads where they gain something, else in the caller's.

    Args:
        decoder: What is run.
        device: Where the network runs: `cpu` or `cuda`.
    """
    if isinstance(decoder.images, RemotePath):
        # They wait for answers most of the time.
        count, chunk = REMOTE_READERS, 1
    elif device == "cuda":
        count, chunk = THREADS, CHUNK
    else:
        yield decoder
        return
    with _given_up_on_error(ThreadPoolExecutor(count)) as pool:
        yield DecodeAhead(pool, decoder.decode_all, count, chunk)


@contextmanager
def decode_in_processes(plan: WorkPlan, count: int) -> Iterator[Decode]:
    """Decode in processes of their own, which take seconds to start.

    Args:
        plan: What there is to do.
        count: Processes; there are more where they wait for another filesystem's answers.

    Raises:
        InputError: A process was killed.
    """
    if isinstance(locate(plan.images, "catalog.images"), RemotePath):
        count = max(count, REMOTE_READERS)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, _become_decoder)
    try:
        with _given_up_on_error(pool):
            yield DecodeAhead(pool, partial(_decode_all, plan), count)
    except BrokenProcessPool as error:
        raise InputError(
            "image_features: a process that decodes pictures was killed, perhaps for want of "
            "memory; run again with machine.workers lower: what was done is kept"
        ) from error


PoolT = TypeVar("PoolT", bound=Executor)


@contextmanager
def _given_up_on_error(pool: PoolT) -> Iterator[PoolT]:
    """Leave undone what was handed out before an error."""
    with pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _become_decoder() -> None:
    # The process that started this one ends it, and if that is killed, this one ends by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_after_parent, daemon=True).start()


def _end_after_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@cache
def _decoder(plan: WorkPlan) -> Decoder:
    return Decoder(plan)


def _decode_all(plan: WorkPlan, jobs: Sequence[Job]) -> list[Views | str]:
    return _decoder(plan).decode_all(jobs)


def _chunks(jobs: Iterable[Job], size: int) -> Iterator[list[Job]]:
    rest = iter(jobs)
    while chunk := list(islice(rest, size)):
        yield chunk


def _results(
    jobs: list[Job], future: Future[list[Views | str]]
) -> Iterator[tuple[Job, Views | str]]:
    yield from zip(jobs, future.result(), strict=True)
