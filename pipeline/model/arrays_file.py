"""Arrays that a model keeps beside its weights; read without torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.model.description import DIGEST, damaged


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], digest: str) -> None:
    """Write arrays to a safetensors file that names the weights it belongs to.

    Raises:
        InputError: The folder cannot be written to.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(dict(arrays), {DIGEST: digest}))


def read_arrays(path: Path, digest: str, names: tuple[str, ...]) -> dict[str, np.ndarray] | None:
    """Read what `write_arrays` wrote.

    Args:
        path: In the model's folder.
        digest: Of the model's weights.
        names: Of the arrays that have to be there.

    Returns:
        The arrays by name; None where the model is of a version that did not keep them.

    Raises:
        InputError: The file is damaged, lacks an array, or is of another model.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, "np") as file:
            noted = (file.metadata() or {}).get(DIGEST)
            arrays = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise damaged(path.parent, error) from error
    if noted != digest:
        raise InputError(f"{path}: of another model than the weights beside it; train again")
    return arrays
