"""Networks that were exported once, kept so that the next run needs no library.

An entry is a folder that an encoder was saved in. It is found by the model's files, which tell the
model apart without loading it.
"""

import hashlib
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json
from pipeline.encoders.text_network import FILE, TextNetwork, load_text_network

NOTE = "recipe.txt"
"""Says what an entry is, as in a store of vectors; `huse cache` shows it."""
_NAME = re.compile("[0-9a-f]{32}")
ENTRIES_KEPT = 8
"""Those used last; a network is as large as its model."""


class KeptNetwork(NamedTuple):
    """What an entry holds."""

    network: TextNetwork | None
    """None: the model cannot be written as one."""
    digest: str
    """The model's, from `model_digest`."""


def entry_of(cache: Path, told: str) -> Path:
    """Folder of the network of a model of which `told` is all that there is to tell."""
    return cache / hashlib.sha256(told.encode()).hexdigest()[:32]


def write_note(entry: Path, text: str) -> None:
    """Write what people are to know of an entry."""
    (entry / NOTE).write_text(f"{text}\n", encoding="utf-8")


def read_entry(entry: Path | None) -> KeptNetwork | None:
    """Read an entry and note that it is in use; None where there is none, or a damaged one."""
    if entry is None or not entry.is_dir():
        return None
    with suppress(InputError, KeyError, TypeError):
        stored = read_json(entry / FILE)
        network = load_text_network(entry, stored["network"])
        _note_use(entry)
        return KeptNetwork(network, str(stored["model_digest"]))
    return None


def _note_use(entry: Path) -> None:
    """Date an entry, and remove those beside it that were not used for longest."""
    # A cache that cannot be written to can still be read.
    with suppress(OSError):
        os.utime(entry / NOTE)
        entries = filter(_is_entry, entry.parent.iterdir())
        by_use = sorted(entries, key=lambda path: (path / NOTE).stat().st_mtime)
        for old in by_use[:-ENTRIES_KEPT]:
            shutil.rmtree(old, ignore_errors=True)


def _is_entry(folder: Path) -> bool:
    """Whether a folder is an entry: by its name, and by nothing else being in it."""
    if not (_NAME.fullmatch(folder.name) and (folder / NOTE).is_file()):
        return False
    return all(path.suffix in (".json", ".onnx", ".weights", ".txt") for path in folder.iterdir())
