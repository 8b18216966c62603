"""Folders in front of the names of a table's pictures, which the folder of the pictures lacks.

How many there are is settled once for the whole table. Row by row, `women/005.png`, which is
missing, would be given the `005.png` of another product.
"""

from collections import Counter
from collections.abc import Iterable

from pipeline.pictures.folder import ImageFolder, MissingImageError


class NamedPictures:
    """The pictures of a folder as one table names them."""

    def __init__(self, folder: ImageFolder, names: Iterable[str]) -> None:
        """Settle without how many folders most names are found; as they stand if equally many."""
        self._folder = folder
        self._found = Counter(n for name in names for n in folder.leading_folders(name))
        self._leading = max(sorted(self._found), key=lambda n: self._found[n], default=0)

    def find(self, value: str) -> str:
        """Find the picture that a row names.

        Args:
            value: As the user wrote it. A name that is right as it stands is always taken.

        Returns:
            Path of an existing file relative to the folder, with slashes.

        Raises:
            BadRowError: As `ImageFolder.find`; the reason says where another number of folders
                would find a file.
        """
        try:
            return self._folder.find(value, self._leading)
        except MissingImageError as error:
            others = self._folder.leading_folders(value)
            if not others:
                raise
            how = f"without {_folders(self._leading)}" if self._leading else "as they stand"
            raise MissingImageError(
                f"{error}; it is there without {_folders(others[0], 'its')}, but most names are "
                f"right {how}, so it may be another picture: write the name as in the folder"
            ) from error

    def describe(self) -> str | None:
        """One line on what is left out of the names; None where they are taken as they stand."""
        if not self._leading:
            return None
        return (
            f"names of pictures are read without {_folders(self._leading)}: so "
            f"{self._found[self._leading]} are found, and {self._found[0]} as they stand"
        )


def _folders(number: int, whose: str = "their") -> str:
    return f"{whose} first folder" if number == 1 else f"{whose} first {number} folders"
