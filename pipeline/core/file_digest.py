"""Digests of files: what tells their contents apart."""

import hashlib
from pathlib import Path


def file_digest(path: Path) -> str:
    """Digest a file's content, as 64 hexadecimal digits; an `OSError` where it cannot be read."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """Digest the names and contents of all files of a folder, as 64 hexadecimal digits.

    Models and features note it: other digits would make them look damaged.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256()
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in sorted(names):
        digest.update(f"{name} {file_digest(folder / name)}\n".encode())
    return digest.hexdigest()
