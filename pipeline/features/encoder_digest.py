"""Do features and the folder of the encoder that made them belong together?

The two are written one after the other, so a run that is killed in between leaves one of them old.
"""

from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.file_digest import folder_digest

KEY = "encoder_digest"
"""Under this key the features' Parquet file names its encoder."""


def encoder_digest(folder: Path) -> str:
    """Digest the names and contents of all files of an encoder, as 64 hexadecimal digits.

    Raises:
        InputError: There is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: not found; run the stage that makes it first")
    return folder_digest(folder)


def check_encoder(folder: Path, noted: str | None, remedy: str) -> None:
    """Check that an encoder is the one that features were made with.

    Args:
        folder: Where it was saved.
        noted: Its digest then; None for features of an earlier version, which do not name it.
        remedy: What the user is to do.

    Raises:
        InputError: It is another one, or is not there.
    """
    found = encoder_digest(folder)
    if noted is not None and found != noted:
        raise InputError(
            f"{folder}: not the encoder that the features were made with; a run was cut off, "
            f"or the files are of different runs: {remedy}"
        )
