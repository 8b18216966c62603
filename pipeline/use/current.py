"""The model that answers, and how what its files have become takes its place while requests come.

The new one is read, and has answered questions, before any request sees it; if it cannot be used,
the one before goes on.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from PIL import Image

from pipeline.core.allocator import give_back_freed_memory
from pipeline.core.errors import InputError
from pipeline.index.changes import changes_folder
from pipeline.pictures.folder import FileState, file_state
from pipeline.use.added_file import added_path
from pipeline.use.api import Huse

Value = TypeVar("Value")


@dataclass(frozen=True)
class Stored:
    """Where a model and its index are."""

    model: Path
    index: Path

    def load(self, warn: Callable[[str], None], *, classifies: bool = False) -> Huse:
        """Read model and index as a whole, and let the model answer.

        Nothing is left to be read later, when the files may be another model's.

        Args:
            warn: Takes one line of what is no error.
            classifies: Whether it will be asked for classes, which has files of its own.

        Raises:
            InputError: A file is missing or damaged, or they do not belong together.
        """
        huse = Huse.load(self.model, self.index, warn=warn)
        picture = Image.radial_gradient("L").convert("RGB")
        text = next((one for one in huse.index.items["text"] if one), "picture")
        try:
            # Together and alone: each reads something of its own.
            for pictures, texts in (([picture], [text]), ([picture], None), (None, [text])):
                v = huse.embed(pictures, texts)
                huse.near(v)
                huse.search(v, 1)
                if classifies:
                    huse.classify(v, 1)
        except Exception as error:
            raise InputError(f"{self.model}: does not answer ({error})") from error
        return huse

    def state(self) -> frozenset[FileState]:
        """Look at all files of both, and at what was added to either, without reading them."""
        found = {file_state(str(added_path(self.model)))}
        for top in (self.model, self.index, changes_folder(self.index)):
            for folder, below, files in os.walk(top):
                # What begins with a dot is a lock, or not yet written whole.
                below[:] = [name for name in below if not name.startswith(".")]
                found |= {
                    file_state(f"{folder}/{name}") for name in files if not name.startswith(".")
                }
        return frozenset(one for one in found if one is not None)


class Current(Generic[Value]):
    """Holds what answers."""

    def __init__(self, load: Callable[[], Value]) -> None:
        """Read the first one.

        Raises:
            InputError: It cannot be used.
        """
        self._load = load
        self.loaded = load()

    def reload(self) -> Value:
        """Read it again and let it answer from now on.

        It takes seconds; every time in the same thread, or the memory of earlier models is left
        with each thread that read one.

        Returns:
            The new one.

        Raises:
            InputError: It cannot be used; the one before goes on.
        """
        try:
            self.loaded = self._load()
        except InputError:
            raise
        except Exception as error:
            # Whatever a half-written file makes libraries raise, the one before goes on.
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{type(error).__name__}: {reason}") from error
        finally:
            gc.collect()
            give_back_freed_memory()
        return self.loaded


class Followed(Generic[Value]):
    """Holds what answers, and reads it again when it is asked for after its files have changed."""

    def __init__(
        self,
        load: Callable[[], Value],
        state: Callable[[], object],
        warn: Callable[[str], None],
    ) -> None:
        """Read the first one.

        Args:
            load: Reads it.
            state: Looks at its files, which have changed if it says something else than before.
            warn: Takes one line of why the one before goes on, once for every reason.

        Raises:
            InputError: It cannot be used.
        """
        self._state, self._warn = state, warn
        # What changes while it is read is seen the next time.
        self._seen = state()
        self._current = Current(load)
        self._reader = ThreadPoolExecutor(1, "reader")
        self._lock = Lock()
        self._told: str | None = None

    def latest(self) -> Value:
        """Give what the files have become, or the one before where that cannot be used."""
        with self._lock:
            state = self._state()
            if state != self._seen:
                self._seen = state
                self._read_again()
            return self._current.loaded

    def _read_again(self) -> None:
        try:
            self._reader.submit(self._current.reload).result()
            self._told = None
        except InputError as error:
            # A folder that is being written changes many times.
            if str(error) != self._told:
                self._told = str(error)
                self._warn(self._told)
