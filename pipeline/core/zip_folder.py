"""A zip file as a filesystem of Arrow's, so that what is in it need not be unpacked."""

import zlib
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
from fsspec.implementations.zip import ZipFileSystem
from pyarrow.fs import FSSpecHandler, PyFileSystem

# What macOS puts beside the files that were asked for.
_NOT_MEANT = {"__MACOSX"}


class _Members(FSSpecHandler):
    """Reads a member whole, and calls damage an `OSError`, as of any other filesystem."""

    def open_input_file(self, path: str) -> Any:
        try:
            return pa.BufferReader(self.fs.zip.read(path.removeprefix("/")))
        except KeyError as error:
            raise FileNotFoundError(path) from error
        # RuntimeError: it has a password; NotImplementedError: compressed in an unknown way.
        except (BadZipFile, RuntimeError, zlib.error) as error:
            raise OSError(str(error)) from error


def open_zip(path: Path) -> tuple[PyFileSystem, str]:
    """Open a zip file for reading.

    Returns:
        The filesystem, and what it knows the folder of the files as: of a zip file that holds one
        folder and nothing else, that folder.

    Raises:
        OSError: It cannot be read or is no zip file.
    """
    try:
        with ZipFile(path) as file:
            names = [PurePosixPath(name) for name in file.namelist()]
    except BadZipFile as error:
        raise OSError(str(error)) from error
    # A folder without a file in it may be listed by itself.
    tops = {name.parts[0]: len(name.parts) > 1 for name in names if name.parts}
    tops = {top: is_folder for top, is_folder in tops.items() if top not in _NOT_MEANT}
    folder = next(iter(tops)) if len(tops) == 1 and all(tops.values()) else ""
    return PyFileSystem(_Members(ZipFileSystem(str(path)))), folder
