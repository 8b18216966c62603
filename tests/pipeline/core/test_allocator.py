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


# What is freed below something that is kept stays with the process.
GIVE_BACK = """
import pathlib
from pipeline.core.allocator import give_back_freed_memory

def resident():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

blocks = [bytearray(50_000) for _ in range(2000)]
kept = blocks[-1]
del blocks
before = resident()
give_back_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the function")
def test_freed_memory_is_given_back():
    """Of 100 MB of small blocks."""
    run = [sys.executable, "-c", GIVE_BACK]
    assert int(subprocess.run(run, capture_output=True, text=True, check=True).stdout) > 50_000
