"""Where DVC keeps the contents of files: the one place that `dvc repro` in any copy shares."""

import os
from pathlib import Path
from typing import Literal


def dvc_cache() -> Path | None:
    """Find the cache of the project around the working directory.

    A temporary copy that `dvc exp run --temp` works in names the cache of the original.

    Returns:
        The cache's folder; None outside a DVC project.
    """
    # Takes a moment to import, which nobody has to wait for who only asks for help.
    from dvc.config import Config

    here = Path.cwd()
    for folder in (here, *here.parents):
        dvc = folder / ".dvc"
        if (dvc / "config").is_file():
            chosen = Config(os.fspath(dvc), validate=False)["cache"].get("dir")
            return Path(chosen) if chosen else dvc / "cache"
    return None


def tracked_contents() -> list[Path]:
    """Folders that links of files under DVC may lead into: one, or none outside a DVC project."""
    cache = dvc_cache()
    return [] if cache is None else [cache / "files"]


def digest_cache(out: Path) -> Path:
    """Choose where digests of the pictures that `out` lists are stored; see `vector_cache`."""
    cache = dvc_cache()
    return out.parent / ".image_cache" if cache is None else cache / "picture_digests"


def vector_cache(of: Literal["image", "text", "word"], out: Path) -> Path:
    """Choose where features of single pictures, texts or words are stored between runs.

    Args:
        of: What the features are of.
        out: The features' file or folder.

    Returns:
        A folder in DVC's cache, which outlives `dvc repro` and is shared by experiments in
        temporary copies; outside a DVC project one beside `out`.
    """
    cache = dvc_cache()
    # Beside DVC's own `files` and `runs`, which is all that `dvc gc` looks at.
    return out.parent / f".{of}_cache" if cache is None else cache / f"{of}_features"
