"""How many processor cores there are to work with."""

import os
import sys


def usable_cores() -> int:
    """Cores that this process may run on; a scheduler or `taskset` may leave it fewer than all."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
