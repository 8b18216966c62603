"""A file or folder on this machine, in a zip file, or on any filesystem that Arrow knows."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pipeline.core.errors import InputError

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
REMOTE_READERS = 16
"""Threads worth reading in: an answer takes a tenth of a second, most of it waiting."""
_S3_ATTEMPTS = 5
_GCS_SECONDS = 30
# A file is there when all of it is. On others it is written under another name and moved.
_OBJECT_STORES = {"s3", "gcs", "abfs"}


class RemotePath:
    """As much of `pathlib.Path` as pictures and vectors need, on another filesystem."""

    def __init__(self, base: str, query: str, key: str, filesystem: Any, path: str) -> None:
        """Put the parts together; `locate` finds them.

        Args:
            base: The URI up to its query.
            query: The query with its question mark, or nothing.
            key: What the user names the place with, for messages.
            filesystem: Arrow's.
            path: What the filesystem knows the place as.
        """
        self._base = base.rstrip("/")
        self._query = query
        self._key = key
        self._filesystem = filesystem
        self._path = path.rstrip("/")

    def __truediv__(self, name: str) -> "RemotePath":
        base, path = f"{self._base}/{quote(name)}", f"{self._path}/{name}"
        return RemotePath(base, self._query, self._key, self._filesystem, path)

    def __str__(self) -> str:
        """As a user wrote it, but without a password and settings."""
        return unquote(re.sub(r"//[^/@]*@", "//", self._base))

    @property
    def uri(self) -> str:
        """The whole URI, which may hold a password."""
        return self._base + self._query

    def read_bytes(self) -> bytes:
        """Read the file.

        Raises:
            FileNotFoundError: It is not there.
            InputError: The filesystem does not answer, or refuses.
        """
        # As a stream it would come in many requests, and decompressed if its name says so.
        with (
            self._explained("cannot be read"),
            self._filesystem.open_input_file(self._path) as file,
        ):
            return file.read()

    def write_bytes(self, data: Any) -> None:
        """Write bytes or an Arrow buffer, whole or not at all.

        Raises:
            InputError: It cannot be written.
        """
        with self._explained("cannot be written"):
            if self._filesystem.type_name in _OBJECT_STORES:
                self._write(self._path, data)
                return
            folder, _, name = self._path.rpartition("/")
            self._filesystem.create_dir(folder, recursive=True)
            temporary = f"{folder}/.{name}.{os.urandom(8).hex()}.tmp"
            self._write(temporary, data)
            self._filesystem.move(temporary, self._path)

    def unlink(self) -> None:
        """Remove the file.

        Raises:
            FileNotFoundError: It is not there.
            InputError: It cannot be removed.
        """
        with self._explained("cannot be removed"):
            self._filesystem.delete_file(self._path)

    def exists(self) -> bool:
        """Whether there is a file or folder; an `InputError` where nobody answers."""
        return self._type() != "NotFound"

    def is_dir(self) -> bool:
        """Whether there is a folder; an `InputError` where nobody answers."""
        return self._type() == "Directory"

    def list_below(self) -> tuple[dict[str, tuple[int, int] | None], list[str]]:
        """List what is in the folder and in all folders below it.

        Returns:
            Files, each with its size in bytes and when it was modified, in ns since 1970 (None
            where the filesystem does not know), and folders. Names are relative to this one, with
            slashes.

        Raises:
            FileNotFoundError: It is not there, or is no folder.
            InputError: The filesystem does not answer, or refuses.
        """
        from pyarrow.fs import FileSelector, FileType

        with self._explained("cannot be listed"):
            found = self._filesystem.get_file_info(FileSelector(self._path, recursive=True))
        start = len(f"{self._path}/") if self._path else 0
        files = {
            info.path[start:]: None if info.mtime_ns is None else (info.size, info.mtime_ns)
            for info in found
            if info.type == FileType.File
        }
        return files, [info.path[start:] for info in found if info.type == FileType.Directory]

    def _type(self) -> str:
        with self._explained("cannot be reached"):
            return self._filesystem.get_file_info(self._path).type.name

    def _write(self, path: str, data: Any) -> None:
        with self._filesystem.open_output_stream(path, compression=None) as stream:
            stream.write(data)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        from pyarrow import ArrowException

        try:
            yield
        except FileNotFoundError:
            raise
        except (OSError, ArrowException) as error:
            raise InputError(f"{self._key}: {self} {what} ({one_line(error)})") from error


Location = Path | RemotePath


def address(place: Location) -> str:
    """Name a place for another process in another folder, for `locate`; it may hold a password."""
    return str(place.absolute()) if isinstance(place, Path) else place.uri


def locate(name: str, key: str) -> Location:
    """Find out where a user's path or URI leads; whether there is anything is not looked at.

    Args:
        name: A path; that of a zip file stands for the folder in it. Or a URI such as
            `s3://bucket/folder` that `pyarrow.fs.FileSystem.from_uri` takes. With `file://` it is
            a path of this machine.
        key: What the user names the place with, for messages.

    Raises:
        InputError: The URI cannot be parsed, Arrow does not know such a filesystem, it does not
            answer, or a zip file cannot be read.
    """
    if not URI.match(name):
        path = Path(name)
        return _in_zip(path, key) if path.suffix.lower() == ".zip" and path.is_file() else path
    from pyarrow import ArrowException
    from pyarrow.fs import FileSystem

    base, mark, query = name.partition("?")
    asked = name
    if re.match("(gs|gcs)://", base) and "retry_limit_seconds" not in query:
        # Arrow would try for a quarter of an hour.
        asked += f"{'&' if mark else '?'}retry_limit_seconds={_GCS_SECONDS}"
    try:
        filesystem, path = FileSystem.from_uri(asked)
    except (OSError, ValueError, ImportError, ArrowException) as error:
        shown = without_password(base)
        raise InputError(f"{key}: {shown} cannot be used ({one_line(error)})") from error
    if filesystem.type_name == "local":
        return Path(path)
    if filesystem.type_name == "s3":
        filesystem = _less_patient(filesystem)
    return RemotePath(base, mark + query, key, filesystem, path)


def _in_zip(path: Path, key: str) -> RemotePath:
    from pipeline.core.zip_folder import open_zip

    try:
        filesystem, folder = open_zip(path)
    except OSError as error:
        raise InputError(f"{key}: {path} is no readable zip file ({one_line(error)})") from error
    return RemotePath(str(path.absolute()), "", key, filesystem, folder)


def _less_patient(s3: Any) -> Any:
    """A URI has no word for how often to try; Arrow takes minutes to give up."""
    from pyarrow.fs import AwsStandardS3RetryStrategy

    make, (options,) = s3.__reduce__()
    return make(options | {"retry_strategy": AwsStandardS3RetryStrategy(_S3_ATTEMPTS)})


def one_line(error: BaseException) -> str:
    """Say in one line what another library says of an error, without a password."""
    # Some list every file that they looked for.
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return without_password(first)[:300]


def without_password(text: str) -> str:
    """Leave the user and the password out of the URIs in a text."""
    # One that is not escaped, as a URI asks for, may hold slashes.
    return re.sub(r"//[^/]*:.*@", "//", text)
