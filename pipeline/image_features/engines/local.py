"""Extraction on this machine: one process per core, or one process for a GPU."""

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.image_features import worker
from pipeline.image_features.work import Job, Worker, WorkPlan, job_chunks

Failures = list[tuple[str, str]]

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
        progress: Called with the number of views whose vectors are safe on disk.

    Returns:
        Digest and reason of each picture that cannot be used.

    Raises:
        InputError: The store cannot be written to, or a process was killed.
    """
    if workers is None:
        workers = 1 if plan.device == "cuda" else len(os.sched_getaffinity(0))
    workers = min(workers, max(1, len(jobs) // _WORTH_A_PROCESS))
    if workers == 1:
        with _one_thread(plan):
            return Worker(plan).run(jobs, progress)
    chunks: queue.SimpleQueue[Sequence[Job]] = queue.SimpleQueue()
    for chunk in job_chunks(jobs, workers):
        chunks.put(chunk)
    with ThreadPoolExecutor(workers) as pool:
        processes = [_start() for _ in range(workers)]
        try:
            running = [
                pool.submit(_drive, process, plan, chunks, progress) for process in processes
            ]
            return [failure for future in running for failure in future.result()]
        finally:
            # After a failure the other threads wait for their processes; the queue is left alone.
            for process in processes:
                process.kill()
                process.wait()


def _start() -> subprocess.Popen[str]:
    # The package may be on the path only because of the folder that the parent runs in.
    root = str(Path(__file__).parents[3])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", worker.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        text=True,
        encoding="utf-8",
    )


def _drive(
    process: subprocess.Popen[str],
    plan: WorkPlan,
    chunks: "queue.SimpleQueue[Sequence[Job]]",
    progress: Callable[[int], None],
) -> Failures:
    """Feed one process with chunks until there are no more."""
    failures: Failures = []
    with _death_explained(process):
        _send(process, asdict(plan))
        while True:
            try:
                chunk = chunks.get_nowait()
            except queue.Empty:
                return failures
            _send(process, chunk)
            failures += _replies(process, progress)


def _send(process: subprocess.Popen[str], message: object) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def _replies(process: subprocess.Popen[str], progress: Callable[[int], None]) -> Failures:
    assert process.stdout is not None
    for line in process.stdout:
        message = json.loads(line)
        if "error" in message:
            raise InputError(message["error"])
        if "failures" in message:
            return [(digest, reason) for digest, reason in message["failures"]]
        progress(message["done"])
    raise BrokenPipeError


@contextmanager
def _death_explained(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        status = process.wait()
        want = " (-9: killed, often for want of memory: lower machine.workers)"
        hint = want if status < 0 else ""
        raise InputError(
            f"image_features: a worker process ended with status {status}{hint}; run again, "
            "finished work is kept"
        ) from error


@contextmanager
def _one_thread(plan: WorkPlan) -> Iterator[None]:
    """Run in this process as a worker would: the numbers must not tell where a picture was done."""
    if plan.recipe["runtime"] != "torch" or plan.device == "cuda":
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
