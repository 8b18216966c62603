"""What the service was given, for `huse drift`: some hundreds of items at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from pipeline.core.errors import InputError
from pipeline.drift.batch_log import record_batch
from pipeline.use.api import Huse
from pipeline.use.embeddings import Features, join_features
from pipeline.use.new_items import NewItem

MOST_ITEMS = 256
"""Of one file of the log."""
MOST_SECONDS = 300.0
"""That an item waits for others, if requests come; what waits is lost if the server is killed."""


class Recorder:
    """Collects items and writes them to a log of `pipeline.drift.batch_log`."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        """Collect for a folder; `warn` takes one line where it cannot be written to."""
        self._folder, self._warn = folder, warn
        self._lock = Lock()
        self._model: Huse | None = None
        self._parts: list[Features] = []
        self._began = 0.0

    def add(self, model: Huse, features: Features) -> None:
        """Take items that a model was given; it may be another model than before."""
        with self._lock:
            if self._model is not model:
                self._write()
                self._model, self._began = model, time.monotonic()
            self._parts.append(features)
            waited = time.monotonic() - self._began
            if sum(map(len, self._parts)) >= MOST_ITEMS or waited > MOST_SECONDS:
                self._write()

    def flush(self) -> None:
        """Write what waits, and let go of its model."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        model, parts = self._model, self._parts
        self._model, self._parts = None, []
        if model is not None and parts:
            features = join_features(parts)
            items = [NewItem(n, "", text or "") for n, text in enumerate(features.texts, 1)]
            try:
                now = datetime.now(UTC)
                record_batch(self._folder, model, features, items, when=now, source="huse serve")
            except (InputError, OSError) as error:
                self._warn(f"--log: {len(items)} items are not recorded: {error}")
