"""Extraction on this machine: a thread per core, or a GPU that processes decode for.

Decoders and runtimes let go of Python's lock while they compute, so that threads fill all cores
without the start, the memory and the ends of processes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from threading import Event

from pipeline.core.cores import usable_cores
from pipeline.image_features.decoder import decode_in_processes
from pipeline.image_features.jobs import Failures, Job, WorkPlan, job_chunks
from pipeline.image_features.worker import Worker

PROCESSES_FROM = 5000
"""Pictures for which a GPU gets processes that decode: threads have done fewer when these start."""


def run_local(
    jobs: Sequence[Job], plan: WorkPlan, workers: int | None, progress: Callable[[int], None]
) -> Failures:
    """Do all jobs.

    An error or an interrupt ends it within a batch's time; what was done is in the store.

    Args:
        jobs: Pictures.
        plan: What to do with them.
        workers: Threads on a CPU, processes that decode for a GPU; None: one per core.
        progress: Called with the number of views that are done, their vectors safe on disk.

    Raises:
        InputError: As `Worker`.
    """
    workers = workers or usable_cores()
    with _one_thread(plan):
        if plan.device == "cuda":
            return _feed_gpu(jobs, plan, workers, progress)
        return _run_threads(jobs, Worker(plan, workers), workers, progress)


def _feed_gpu(
    jobs: Sequence[Job], plan: WorkPlan, processes: int, progress: Callable[[int], None]
) -> Failures:
    if len(jobs) < PROCESSES_FROM:
        return Worker(plan).run(jobs, progress)
    with decode_in_processes(plan, processes) as decode:
        return Worker(plan).run(jobs, progress, decode)


def _run_threads(
    jobs: Sequence[Job], worker: Worker, threads: int, progress: Callable[[int], None]
) -> Failures:
    stopped = Event()

    def run(chunk: Sequence[Job]) -> Failures:
        return worker.run(_until(stopped, chunk), lambda done: None)

    with ThreadPoolExecutor(threads) as pool:
        running = {pool.submit(run, chunk): chunk for chunk in job_chunks(jobs, threads)}
        try:
            for future in as_completed(running):
                future.result()
                progress(sum(len(job.views) for job in running[future]))
        except BaseException:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
        return [failure for future in running for failure in future.result()]


def _until(stopped: Event, jobs: Sequence[Job]) -> Iterator[Job]:
    for job in jobs:
        if stopped.is_set():
            return
        yield job


@contextmanager
def _one_thread(plan: WorkPlan) -> Iterator[None]:
    """Have torch compute a batch on the thread that asks for it.

    The numbers must not tell where a picture was done.
    """
    if plan.recipe.runtime != "torch" or plan.device == "cuda":
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
