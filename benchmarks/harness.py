"""Measure functions against each other: time in one process, peak memory each in a fresh one."""

import ctypes
import gc
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

from pipeline.core.json_file import write_json


def interleave(
    cases: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    device: str = "cpu",
    before: Callable[[], object] = lambda: None,
) -> dict[str, list[float]]:
    """Time every case once per round, after one warm-up round.

    Cases of one round run within moments of each other, so that a neighbour on the machine slows
    all of them: compare cases by `median_ratio`, not by their medians. With one thread the clock is
    the process's own CPU time, which a neighbour hardly changes.

    Args:
        cases: Per name, a function without arguments.
        rounds: How often each case is timed.
        device: "cpu", or "cuda" to wait for the GPU before each reading of the clock.
        before: Called before each run, outside of its time.

    Returns:
        Per name, the seconds of each round.
    """
    one_thread = device == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if one_thread else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for run in cases.values():
        before()
        run()
    for _ in range(rounds):
        for name, run in cases.items():
            before()
            _wait_for(device)
            start = clock()
            run()
            _wait_for(device)
            seconds[name].append(clock() - start)
    return seconds


def median_ratio(seconds: Sequence[float], baseline: Sequence[float]) -> float:
    """Median over rounds of a case's time divided by the baseline's in the same round."""
    return statistics.median(a / b for a, b in zip(seconds, baseline, strict=True))


def peak_extra_mib(
    build: Callable[..., Callable[[], object]], *arguments: object, device: str = "cpu"
) -> float:
    """Memory that a function needs beyond its inputs, measured in a fresh process (Linux).

    Args:
        build: Called with `arguments` in the new process; makes the inputs and returns the function
            to measure. It needs to be importable.
        arguments: What to build.
        device: "cpu" for the process's resident set, "cuda" for torch's memory on the GPU.

    Returns:
        MiB: the peak during a second call, less what was in use before it.
    """
    context = multiprocessing.get_context("spawn")
    threads = torch.get_num_threads()
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_peak_of_second_call, build, arguments, device, threads).result()


def environment(device: str = "cpu") -> dict[str, Any]:
    """What a reader needs to know about the machine and its load at this moment."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "gpu": torch.cuda.get_device_name() if device == "cuda" else None,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def write_results(
    stem: Path,
    *,
    title: str,
    notes: Sequence[str],
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    environment: Mapping[str, Any],
) -> None:
    """Write `stem`.json (all rows and the environment) and `stem`.md (a table of some columns).

    Args:
        stem: Path without suffix; its folder is made.
        title: Heading of the Markdown file.
        notes: Lines below the heading.
        columns: Heading in the table per key of a row.
        rows: One dict per row; numbers, strings, or None for what was not measured.
        environment: What `environment` returned.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    write_json(stem.with_suffix(".json"), {"environment": environment, "rows": rows})
    lines = [f"# {title}", "", *[f"- {note}" for note in notes], ""]
    lines += [_table_row(columns.values()), _table_row("---" for _ in columns)]
    lines += [_table_row(_cell(row[key]) for key in columns) for row in rows]
    stem.with_suffix(".md").write_text("\n".join(lines) + "\n")


def _wait_for(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _peak_of_second_call(
    build: Callable[..., Callable[[], object]], arguments: tuple, device: str, threads: int
) -> float:
    torch.set_num_threads(threads)
    run = build(*arguments)
    # The first call loads libraries, starts threads and compiles. What it freed goes back to the
    # system, or the second call would use it again unseen.
    run()
    gc.collect()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        in_use = torch.cuda.memory_allocated()
        run()
        return (torch.cuda.max_memory_allocated() - in_use) / 2**20
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back to the present size
    resident = _status_kib("VmRSS")
    run()
    return (_status_kib("VmHWM") - resident) / 1024


def _status_kib(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def _table_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: float | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return str(value)
