"""Does a checkpoint belong to this run? A digest of everything that determines the result."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from pipeline.core.file_digest import file_digest

CODE = Path(__file__).parents[1]


def fingerprint(settings: Any, inputs: Iterable[Path]) -> str:
    """Digest settings (anything that JSON can hold), inputs, the library's code, torch's version.

    The inputs are files and folders of files, which are read once in full.
    """
    digest = hashlib.sha256()
    facts = {"settings": settings, "torch": torch.__version__}
    digest.update(json.dumps(facts, sort_keys=True).encode())
    # The code too: after an update, half a run of the old and half of the new is neither.
    for path in (*inputs, *sorted(CODE.rglob("*.py"))):
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file():
                digest.update(file_digest(file).encode())
    return digest.hexdigest()
