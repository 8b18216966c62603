"""CSV files for people to read: rejected rows, failed pictures, plot data."""

from pathlib import Path

import pandas as pd

from pipeline.files.atomic import atomic_path


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as UTF-8 CSV without its index.

    Args:
        path: Final file name.
        frame: The rows; an empty frame gives the header alone.

    Raises:
        InputError: The folder cannot be written to.
    """
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")
