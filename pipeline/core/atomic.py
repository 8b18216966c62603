"""Write a file whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.core.errors import InputError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    DVC deletes a stage's outputs before it runs and does not create their folders, so the parent
    folder is made here. A failed or interrupted block leaves nothing under the final name.

    Args:
        path: The final file or folder.

    Yields:
        A path in the same folder (so that the rename is atomic) that the block must create.

    Raises:
        InputError: The folder cannot be written to, the disk is full, or a file would take the
            place of a folder.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        # A folder replaces a folder; a file in place of one is a slip that must not delete it.
        if temporary.is_dir() and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        if error.filename is not None and not _is_inside(Path(error.filename), path.parent):
            raise
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        # Where nothing could be made there is nothing to remove, and no error to hide the first.
        with suppress(OSError):
            if temporary.is_dir():
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                temporary.unlink()


def copy_folder(source: Path, path: Path) -> None:
    """Copy a folder whole or not at all.

    Raises:
        InputError: There is no such folder, or the copy cannot be written.
    """
    if not source.is_dir():
        raise InputError(f"{source}: not found; run the stage that makes it first")
    with atomic_path(path) as temporary:
        shutil.copytree(source, temporary)


def _is_inside(path: Path, folder: Path) -> bool:
    return path.absolute().is_relative_to(folder.absolute())
