"""What is fitted per word, on disk: safetensors, and the words they are of as JSON.

Shape letters: V words.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as, write_json

WORDS = "words.json"
TENSORS = "encoder.safetensors"


def save_words(folder: Path, words: Sequence[str], tensors: Mapping[str, np.ndarray]) -> None:
    """Write V words as `words.json` and tensors of V rows each as `encoder.safetensors`."""
    save_tensors(folder / TENSORS, tensors)
    write_json(folder / WORDS, list(words))


def load_words(folder: Path, names: Sequence[str]) -> tuple[list[str], dict[str, np.ndarray]]:
    """Read what `save_words` wrote; the named tensors must be there.

    Raises:
        InputError: A file is missing or damaged, or they are not of the same words.
    """
    words = read_json_as(folder / WORDS, list[str], "make it again")
    tensors = load_tensors(folder / TENSORS, names)
    if any(len(rows) != len(words) for rows in tensors.values()):
        raise InputError(f"{folder}: words and tensors do not belong together; make it again")
    return words, tensors


def save_tensors(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write tensors by name as a safetensors file."""
    with atomic_path(path) as temporary:
        # safetensors' own save_file makes a file that only its owner may read.
        temporary.write_bytes(save(dict(tensors)))


def load_tensors(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read what `save_tensors` wrote; the named ones must be there.

    Raises:
        InputError: The file is missing or damaged, or lacks one of them.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not readable ({error}); make it again") from error
    missing = [name for name in names if name not in tensors]
    if missing:
        raise InputError(f"{path}: no tensor {', '.join(missing)}; make it again")
    return tensors
