import platform
import subprocess
import sys

import pytest

# Page faults of the last of twenty times that 64 MiB are taken and given back.
LOOP = """
import resource, sys
import torch
from pipeline.core.allocator import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()
for _ in range(20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(16 * 2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(argument: str) -> int:
    run = [sys.executable, "-c", LOOP, argument]
    return int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these thresholds")
def test_freed_memory_is_used_again():
    """64 MiB are 16,384 pages of 4 KiB (or 32 huge ones); kept, none of them is faulted in."""
    assert page_faults("keep") < page_faults("default") / 10
