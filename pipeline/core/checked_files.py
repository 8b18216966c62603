"""Which files of a folder were compared with their digests before."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as, write_json

NOTE = "checked.json"
"""Size in bytes and time of the last change in nanoseconds, by name."""


class CheckedFiles:
    """Files that need not be read to be trusted, since size and time are as when they were.

    All that can happen to the note is that files are read again.
    """

    def __init__(self, folder: Path) -> None:
        """Read the folder's note, if there is one."""
        self._note = folder / NOTE
        self._noted: dict[str, list[int]] = {}
        with suppress(InputError):
            self._noted = read_json_as(self._note, dict[str, list[int]], "")
        self._seen = dict(self._noted)

    def is_known(self, path: Path) -> bool:
        """Whether a file is as it was when it was compared; to be asked before it is read.

        Raises:
            OSError: It cannot be looked at.
        """
        state = path.stat()
        # Of a file that is written meanwhile this is not its state afterwards.
        self._seen[path.name] = [state.st_size, state.st_mtime_ns]
        return self._noted.get(path.name) == self._seen[path.name]

    def keep(self, names: Iterable[str]) -> None:
        """Note these for later processes, and forget the others; a note without room is left."""
        noted = {name: self._seen[name] for name in names if name in self._seen}
        if noted != self._noted:
            with suppress(InputError):
                write_json(self._note, noted)
