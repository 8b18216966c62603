"""Going through things one after the other: each decision is written at once, and can be undone."""

from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from pipeline.core.errors import BadRowError, InputError


class Written(NamedTuple):
    """What came of a decision."""

    take_back: Callable[[], object] | None
    """Writes what stood there before; None: nothing was decided."""
    said: str = ""
    """For people."""


class Steps:
    """Where somebody is in a list of things to decide.

    Requests may come twice or at the same time, from two windows; a decision counts for the thing
    that it was made on, once.
    """

    def __init__(self, total: int) -> None:
        """Begin at the first of so many."""
        self.total = total
        self.place = 0
        """Of the thing that is shown; after the last one there is none."""
        self.said = ""
        """What came of the last request, for people."""
        self._done: list[tuple[str, Callable[[], object]]] = []
        self._lock = Lock()

    @property
    def counts(self) -> dict[str, int]:
        """How often each word was decided since the beginning."""
        return Counter(word for word, _ in self._done)

    @property
    def left(self) -> int:
        """How many are not yet decided."""
        return self.total - self.place

    @property
    def can_undo(self) -> bool:
        """Whether there is a decision to take back."""
        return bool(self._done)

    def step(self, place: int, word: str, write: Callable[[], Written]) -> None:
        """Decide and go on to the next; `said` tells what came of it.

        Args:
            place: Of the thing that was shown.
            word: What was decided, for `counts`.
            write: Writes the decision; its `InputError` or `BadRowError` is told.
        """
        with self._lock:
            if place != self.place or place >= self.total:
                self.said = "That one was decided already."
                return
            try:
                take_back, self.said = write()
            except (InputError, BadRowError) as error:
                self.said = f"Not written: {error}"
                return
            if take_back is not None:
                self._done.append((word, take_back))
                self.place += 1

    def undo(self) -> None:
        """Go back to the one before, as if it had not been decided."""
        with self._lock:
            if not self._done:
                self.said = "There is nothing to take back."
                return
            try:
                self._done[-1][1]()
            except InputError as error:
                self.said = f"Not written: {error}"
                return
            self._done.pop()
            self.place -= 1
            self.said = "Taken back."
