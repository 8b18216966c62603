"""Find the pictures that a catalogue names inside one folder, and nowhere else."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.core.errors import BadRowError, InputError
from pipeline.core.location import URI, Location, RemotePath

KEY = "catalog.images"
PLACE = f"the folder {KEY}"
WINDOWS_DRIVE = re.compile(r"[A-Za-z]:/")
WEB = re.compile(r"\s*https?://", re.IGNORECASE)
"""What the name of a picture begins with that is nowhere here."""


class MissingImageError(BadRowError):
    """A row names no file."""


class FileState(NamedTuple):
    """What tells a file that has changed since without reading it."""

    path: str
    """Absolute, or a URI without password and settings."""
    size: int
    """In bytes."""
    modified: int
    """When, in ns since 1970."""


def file_state(path: str) -> FileState | None:
    """Look a file of this machine up by its absolute path; None if there is none.

    A link stands for what it leads to.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - a hundred thousand of them
    except (OSError, ValueError):
        return None
    return FileState(path, found.st_size, found.st_mtime_ns)


class ImageFolder:
    """The files of a folder, listed once, so that a row costs a set look-up and no disk access."""

    def __init__(
        self,
        folder: Path,
        link_targets: Sequence[Path] = (),
        *,
        key: str = KEY,
        place: str = PLACE,
    ) -> None:
        """List the folder and all folders below it; symbolic links are noted and not entered.

        A folder below it that cannot be listed has no pictures.

        Args:
            folder: Where the pictures are.
            link_targets: Folders outside it that links may lead into, such as the store of a tool
                that keeps the files' contents and leaves links in their place.
            key: What the user names the folder with, for messages.
            place: What the reasons of rows call the folder.

        Raises:
            InputError: It is missing, not a folder, or cannot itself be listed.
        """
        if not folder.is_dir():
            found = "is not a folder" if folder.exists() else "not found"
            raise InputError(f"{key}: {folder} {found}; name the folder of the pictures")
        self._place = place
        self.folder: Location = folder
        self._link_targets = [os.path.realpath(target) for target in link_targets]
        self._root = os.path.abspath(folder)  # noqa: PTH100 - keeps links, drops `..`
        self._real_root = os.path.realpath(folder)
        self._files: set[str] = set()
        self._links: set[str] = set()
        try:
            self._list("")
        except OSError as error:
            raise InputError(f"{key}: {folder} cannot be listed ({error})") from error

    def find(self, value: str, leading: int = 0) -> str:
        """Find the picture that a row names.

        Args:
            value: Path as the user wrote it, below the folder or absolute; backslashes count as
                slashes.
            leading: A relative name that names no file as it stands is looked up without so many
                of its first folders.

        Returns:
            Path of an existing file relative to the folder, with slashes.

        Raises:
            BadRowError: The name is empty, leads out of the folder, or names no file.
        """
        if value in self._files:
            return value
        names = self._names(value)
        for name in dict.fromkeys([names[0], *names[leading : leading + 1]]):
            if self._is_file(name):
                return name
        if self._is_folder(names[0].split("/")):
            raise BadRowError("image is a folder, not a file")
        raise MissingImageError(f"image not found in {self._place}")

    def leading_folders(self, value: str) -> list[int]:
        """Without how many of its first folders a name is that of a file, ascending."""
        try:
            return [n for n, name in enumerate(self._names(value)) if self._is_file(name)]
        except BadRowError:
            return []

    def _names(self, value: str) -> list[str]:
        """Place a name below the folder, without its first folders: none, one, two and so on."""
        if value in self._files:  # spelled as the file is: there is nothing to resolve
            parts = value.split("/")
            return ["/".join(parts[n:]) for n in range(len(parts))]
        name = value.strip().replace("\\", "/")
        if not name:
            raise BadRowError("image is empty")
        if WEB.match(name):
            raise BadRowError("image is a URL; huse fetch_pictures downloads such pictures")
        parts = self._relative(name).split("/")
        return ["/".join(parts[n:]) for n in range(1 if self._is_absolute(name) else len(parts))]

    def _is_file(self, name: str) -> bool:
        return name in self._files or self._is_linked_file(name)

    def state(self, image: str) -> FileState | None:
        """State of a picture's file; None if it is gone or nothing tells when it was modified."""
        return file_state(f"{self._root}/{image}")

    def _relative(self, name: str) -> str:
        """Place a name below the root, `..` resolved; as strings, which is faster than Path."""
        if not WINDOWS_DRIVE.match(name):
            if not self._is_absolute(name):
                name = os.path.join(self._root, name)  # noqa: PTH118
            path = os.path.normpath(name)
            for root in (self._root, self._real_root):
                if path == root or path.startswith(root.rstrip("/") + "/"):
                    return path[len(root) :].strip("/")
        raise BadRowError(f"image lies outside {self._place}")

    def _is_absolute(self, name: str) -> bool:
        return name.startswith("/")

    def _is_folder(self, parts: list[str]) -> bool:
        return os.path.isdir(os.path.join(self._root, *parts))  # noqa: PTH112, PTH118

    def _is_linked_file(self, candidate: str) -> bool:
        if not self._links:
            return False
        parts = candidate.split("/")
        prefixes = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        if self._links.isdisjoint(prefixes):
            return False
        target = Path(os.path.realpath(os.path.join(self._root, candidate)))  # noqa: PTH118
        if not target.is_file():
            return False
        if not any(map(target.is_relative_to, [self._real_root, *self._link_targets])):
            raise BadRowError(f"image is a link that leads outside {self._place}")
        return True

    def _list(self, below: str) -> None:
        with os.scandir(os.path.join(self._root, below)) as entries:  # noqa: PTH118
            for entry in entries:
                if entry.is_symlink():
                    self._links.add(below + entry.name)
                elif entry.is_dir():
                    with suppress(OSError):
                        self._list(f"{below}{entry.name}/")
                elif entry.is_file():
                    self._files.add(below + entry.name)


class RemoteImageFolder(ImageFolder):
    """The same on another filesystem: no links, and a full name is a URI."""

    def __init__(self, folder: RemotePath, *, key: str = KEY, place: str = PLACE) -> None:
        """List the folder and all folders below it.

        Raises:
            InputError: It is missing, not a folder, or cannot be listed.
        """
        self._place = place
        self.folder = folder
        self._root = self._real_root = os.path.normpath(str(folder))
        self._links = set()
        try:
            files, folders = folder.list_below()
        except FileNotFoundError as error:
            raise InputError(
                f"{key}: {folder} not found; name the folder of the pictures"
            ) from error
        self._states = {
            name: FileState(f"{folder}/{name}", *state)
            for name, state in files.items()
            if state is not None
        }
        self._files, self._folders = set(files), {"", *folders}

    def state(self, image: str) -> FileState | None:
        """The same, as the folder was when it was listed."""
        return self._states.get(image)

    def _is_absolute(self, name: str) -> bool:
        return name.startswith("/") or URI.match(name) is not None

    def _is_folder(self, parts: list[str]) -> bool:
        return "/".join(parts) in self._folders


def picture_inside(folder: Location, name: str) -> Location | None:
    """Find a picture of a folder by what a table says that may have come from elsewhere.

    None where the name leads out of the folder: no page and no file shows what is there.
    """
    path = Path(name)
    outside = path.is_absolute() or ".." in path.parts or URI.match(name)
    return None if outside or WINDOWS_DRIVE.match(name) else folder / name


def open_images(
    folder: Location,
    link_targets: Sequence[Path] = (),
    *,
    key: str = KEY,
    place: str = PLACE,
) -> ImageFolder:
    """List a folder of pictures, wherever it is.

    Raises:
        InputError: It is missing, not a folder, or cannot be listed.
    """
    if isinstance(folder, RemotePath):
        return RemoteImageFolder(folder, key=key, place=place)
    return ImageFolder(folder, link_targets, key=key, place=place)
