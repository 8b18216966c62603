"""Warnings that are not shown while something runs, in whatever thread."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_FILTERS = RLock()


@contextmanager
def without_warnings(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a category.

    The filters are the process's: threads that change them and put them back in another order leave
    all warnings ignored for good, so one waits for the other.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
