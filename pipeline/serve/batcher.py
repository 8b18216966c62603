"""One thread that the model runs in, and the requests that wait for it.

What has come while the model was busy is answered together: under load a text costs a fraction of
what it costs alone, and a client who is alone waits for nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Any

from pipeline.serve.questions import Asked

WINDOW = 0.002
"""Seconds that others are waited for if the last batch was of several requests: clients who were
answered together ask again within a moment of each other."""

Answer = list[Any] | Exception


class OverloadedError(Exception):
    """More waits than may."""


class Batcher:
    """Puts requests together and gives each its answer.

    Every picture of an item that has several counts as an item.

    This is the only thread that asks a model: several would wait for each other's cores.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Asked]], Sequence[Answer]],
        *,
        batch: int,
        queue: int,
        on_batch: Callable[[int], None] = lambda items: None,
    ) -> None:
        """Start the thread.

        Args:
            answer: Answers requests of one model, and does not raise.
            batch: Items at a time at most; a request with more goes alone.
            queue: Items that may wait.
            on_batch: Is told of how many items a batch is.
        """
        self._answer, self._batch, self._queue, self._on_batch = answer, batch, queue, on_batch
        self._changed = Condition()
        self._waiting: dict[Future[list[Any]], Asked] = {}
        self._closed = False
        self._last = 0
        self._began: float | None = None
        self._thread = Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    @property
    def items(self) -> int:
        """How many items wait."""
        with self._changed:
            return sum(asked.weight for asked in self._waiting.values())

    @property
    def busy_seconds(self) -> float:
        """For how long the model has been at what it is doing."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    def submit(self, asked: Asked) -> Future[list[Any]]:
        """Let a request wait for its answer; whoever cancels it frees its place.

        Raises:
            OverloadedError: Too much waits already, or the thread has ended.
        """
        future: Future[list[Any]] = Future()
        with self._changed:
            # The greatest request has a place as long as nothing waits.
            if self._closed or (self._waiting and self.items + asked.weight > self._queue):
                raise OverloadedError
            self._waiting[future] = asked
            self._changed.notify()
        future.add_done_callback(self._forget)
        return future

    def close(self) -> None:
        """End the thread once it has done what it is doing; what waits is cancelled."""
        with self._changed:
            self._closed = True
            waiting = list(self._waiting)
            self._changed.notify()
        for future in waiting:
            future.cancel()
        self._thread.join()

    def _forget(self, future: Future[list[Any]]) -> None:
        if future.cancelled():
            with self._changed:
                self._waiting.pop(future, None)

    def _run(self) -> None:
        while self._wait():
            # A function of its own: its names would hold a model that was replaced.
            self._work()

    def _wait(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._last > 1:
                self._changed.wait_for(lambda: self._closed or self.items >= self._batch, WINDOW)
            return not self._closed

    def _take(self) -> dict[Future[list[Any]], Asked]:
        """The first that waits, and those behind it of the same model, as many as fit."""
        taken: dict[Future[list[Any]], Asked] = {}
        items = 0
        with self._changed:
            for future, asked in self._waiting.items():
                items += asked.weight
                same = not taken or asked.model is next(iter(taken.values())).model
                if taken and (items > self._batch or not same):
                    break
                taken[future] = asked
            for future in taken:
                del self._waiting[future]
        return {one: asked for one, asked in taken.items() if one.set_running_or_notify_cancel()}

    def _work(self) -> None:
        taken = self._take()
        self._last = len(taken)
        if not taken:
            return
        self._began = time.monotonic()
        answers = self._answer(list(taken.values()))
        self._began = None
        self._on_batch(sum(asked.weight for asked in taken.values()))
        for future, answer in zip(taken, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
