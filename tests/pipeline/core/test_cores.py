import os
import subprocess
import sys

import pytest

from pipeline.core.cores import thread_limit, usable_cores


def test_there_is_a_core_and_no_more_than_the_machine_has():
    assert 1 <= usable_cores() <= os.cpu_count()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can pin a process to cores")
def test_cores_that_are_withheld_do_not_count():
    code = (
        "import os; from pipeline.core.cores import thread_limit, usable_cores; "
        "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); print(usable_cores())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "1\n"


@pytest.mark.parametrize(
    ("value", "threads"), [(None, 0), ("", 0), ("3", 3), (" 2,1", 2), ("many", 0)]
)
def test_threads_are_limited_as_for_torch(monkeypatch, value, threads):
    monkeypatch.delenv("OMP_NUM_THREADS")
    if value is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert thread_limit() == threads
