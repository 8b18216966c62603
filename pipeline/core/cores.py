"""How many processor cores there are to work with."""

import os
import sys


def usable_cores() -> int:
    """Cores that this process may run on; a scheduler or `taskset` may leave it fewer than all."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_limit() -> int:
    """Threads of a network that OMP_NUM_THREADS allows, as torch takes it; 0: as many as suit."""
    # A list gives a number for each level of nested loops; the first is the outermost.
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() else 0
