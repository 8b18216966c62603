"""Extraction on this machine: one process per core, or one process for a GPU."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from typing import Any

from pipeline.core.cores import usable_cores
from pipeline.core.errors import InputError
from pipeline.image_features.worker import Failures, Job, Worker, WorkPlan, job_chunks, run_chunk

# Fewer pictures than this are done before another process has started.
_WORTH_A_PROCESS = 64


def run_local(
    jobs: Sequence[Job], plan: WorkPlan, workers: int | None, progress: Callable[[int], None]
) -> Failures:
    """Do all jobs.

    Args:
        jobs: Pictures.
        plan: What to do with them.
        workers: Processes; None: one per core, on a GPU one.
        progress: Called with the number of views that are done, their vectors safe on disk.

    Raises:
        InputError: The store cannot be written to, or a process was killed.
    """
    if workers is None:
        workers = 1 if plan.device == "cuda" else usable_cores()
    workers = min(workers, max(1, len(jobs) // _WORTH_A_PROCESS))
    if workers == 1:
        with _one_thread(plan):
            return Worker(plan).run(jobs, progress)
    context = _Spawning()
    pool = ProcessPoolExecutor(workers, context, _begin)
    try:
        with _environment(OMP_NUM_THREADS="1"), _broken_by_a_death(context):
            running = {
                pool.submit(run_chunk, plan, chunk): chunk for chunk in job_chunks(jobs, workers)
            }
        for future in as_completed(running):
            future.result()
            progress(sum(len(job.views) for job in running[future]))
        return [failure for future in running for failure in future.result()]
    except BrokenProcessPool as error:
        # Until all have ended, and with what status is known.
        pool.shutdown(cancel_futures=True)
        raise InputError(_death(context.started)) from error
    finally:
        # Whatever they are at need not be finished: vectors are on disk or will be made again.
        for process in context.started:
            if process.pid is not None:  # else it was not started after all
                process.kill()
        pool.shutdown(cancel_futures=True)


class _Spawning(SpawnContext):
    """Remembers the processes that a pool starts, of which the pool itself tells nothing.

    Spawned: a forked copy of a process with torch's threads may hang.
    """

    def __init__(self) -> None:
        super().__init__()
        self.started: list[BaseProcess] = []

    def Process(self, *args: Any, **options: Any) -> SpawnProcess:  # type: ignore[override]
        process = SpawnProcess(*args, **options)
        self.started.append(process)
        return process


@contextmanager
def _broken_by_a_death(context: _Spawning) -> Iterator[None]:
    """Say that a pool is broken where a process ends while the next one is being started.

    The pool then closes what processes talk through, and to start one is an error of the system.
    """
    try:
        yield
    except OSError as error:
        if all(process.exitcode is None for process in context.started):
            raise
        raise BrokenProcessPool("a process ended while others were started") from error


def _begin() -> None:
    """Prepare a process of the pool."""
    # What libraries print is not the command's output.
    os.dup2(2, 1)
    # An interrupt of the terminal reaches every process; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    # A parent that was killed ends nobody: the pool's processes would wait for it for ever.
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _death(processes: Sequence[BaseProcess]) -> str:
    # The pool terminates the others.
    ended = [code for p in processes if (code := p.exitcode) not in (None, -signal.SIGTERM)]
    status = ended[0] if ended else -signal.SIGTERM
    want = " (-9: killed, often for want of memory: lower machine.workers)"
    hint = want if status < 0 else ""
    return (
        f"image_features: a worker process ended with status {status}{hint}; run again, finished "
        "work is kept"
    )


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables for processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _one_thread(plan: WorkPlan) -> Iterator[None]:
    """Run in this process as a worker would: the numbers must not tell where a picture was done."""
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
