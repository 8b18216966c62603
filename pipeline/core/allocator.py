"""Let the C library keep the memory that torch frees, or give back what nobody needs.

On a CPU, torch takes every activation from malloc and gives it back. glibc returns blocks of that
size to the kernel at once, so each forward pass faults all its pages in again: half of the time of
a small network.
"""

import ctypes
import sys

# glibc's malloc.h
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_GIB = 2**30


def keep_freed_memory() -> bool:
    """Raise glibc's thresholds for giving memory back; elsewhere do nothing.

    Results do not change. Freed memory stays with the process until it ends.
    The heap first grows for some rounds before blocks are used again.

    Returns:
        Whether the thresholds were set.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = {_M_MMAP_THRESHOLD: _GIB, _M_TRIM_THRESHOLD: _GIB, _M_TOP_PAD: _GIB // 16}
    return all([mallopt(name, value) == 1 for name, value in settings.items()])


def give_back_freed_memory() -> bool:
    """Let glibc return freed memory to the system; elsewhere do nothing.

    Returns:
        Whether there was any to return.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    return trim is not None and trim(0) == 1
