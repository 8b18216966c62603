"""Which files of a folder were compared with their digests before."""

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

    def __contains__(self, path: Path) -> bool:
        """Whether the file is as it was when it was compared.

        Raises:
            OSError: It cannot be looked at.
        """
        return self._noted.get(path.name) == _state(path)

    def keep(self, paths: list[Path]) -> None:
        """Note these for later processes, and forget the others; a note without room is left."""
        noted = {}
        for path in paths:
            # Another process may have merged it meanwhile.
            with suppress(OSError):
                noted[path.name] = _state(path)
        if noted != self._noted:
            self._noted = noted
            with suppress(InputError):
                write_json(self._note, noted)


def _state(path: Path) -> list[int]:
    state = path.stat()
    return [state.st_size, state.st_mtime_ns]
