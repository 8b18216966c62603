import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

from pipeline.core.quiet import without_warnings


def test_warnings_of_a_category_are_not_shown_meanwhile():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with without_warnings(UserWarning):
            warnings.warn("meanwhile", UserWarning, stacklevel=1)
            warnings.warn("of another category", RuntimeWarning, stacklevel=1)
        warnings.warn("after", UserWarning, stacklevel=1)
    assert [str(one.message) for one in shown] == ["of another category", "after"]


def test_threads_leave_the_filters_as_they_were():
    def ignore(_):
        for _ in range(300):
            with without_warnings():
                compile("1", "", "eval")

    before, interval = list(warnings.filters), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(ignore, range(16)))
    finally:
        sys.setswitchinterval(interval)
    assert list(warnings.filters) == before
