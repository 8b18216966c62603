"""A picture's file: its bytes, or the reason why there are none."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.core.errors import InputError
from pipeline.core.location import Location

# Open files, disk and memory run out for every picture alike.
_OF_THE_MACHINE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT}


class PictureBytes:
    """A picture that is in memory, for wherever its file is asked for."""

    def __init__(self, data: bytes) -> None:
        """Take what would be in the file."""
        self._data = data

    def read_bytes(self) -> bytes:
        """Give what would be in the file."""
        return self._data

    def __str__(self) -> str:
        return "picture"


class UnreadableImageError(Exception):
    """A picture cannot be used; the message is the reason for the extraction report."""


class TooLargeError(UnreadableImageError):
    """A picture takes too much to decode."""


def is_machine_trouble(error: BaseException) -> bool:
    """Whether memory, disk space or open files ran out: no fault of a picture."""
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno in _OF_THE_MACHINE
    )


@contextmanager
def machine_trouble(picture: object) -> Iterator[None]:
    """Turn the machine's trouble into one line; a picture must not be condemned for it.

    Raises:
        InputError: Memory, disk space or open files ran out.
    """
    try:
        yield
    except (MemoryError, OSError) as error:
        if not is_machine_trouble(error):
            raise
        what = getattr(error, "strerror", None) or "out of memory"
        raise InputError(
            f"{picture}: {what}; that is this machine's limit and no fault of the picture: free "
            "some, or lower machine.workers or image.max_pixels, then run again"
        ) from error


def read_picture(path: Location | PictureBytes) -> bytes:
    """Read a picture's file.

    Raises:
        UnreadableImageError: It is missing, a folder, empty, or may not be read.
        InputError: Another filesystem does not answer, or this machine has run out of something.
    """
    try:
        with machine_trouble(path):
            data = path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableImageError("file not found") from error
    except IsADirectoryError as error:
        raise UnreadableImageError("a folder, not a file") from error
    except OSError as error:
        raise UnreadableImageError(f"cannot be read ({error.strerror})") from error
    if not data:
        raise UnreadableImageError("file is empty")
    return data
