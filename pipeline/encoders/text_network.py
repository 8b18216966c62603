"""A pretrained text model as ONNX Runtime runs it: it travels with what was made of it.

The libraries that train such models, and torch below them, take seconds to import, which one query
from the shell need not wait for; and a model by its name may be gone, or another one, when it is
needed again.

Shape letters: M texts, B batch, L tokens of the longest, E features.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError

NETWORK, TOKENIZER = "network.onnx", "tokenizer.json"
"""In an encoder's folder. The graph takes token numbers and a mask, both [B, L], and gives [B, E];
the tokenizer cuts texts that are too long and fills up those that are shorter than others."""
INPUTS, OUTPUT = ("token", "mask"), "vector"


@dataclass(frozen=True)
class TextFacts:
    """What is done to a text before it is cut into tokens."""

    lower: bool
    """Whether in lower case."""
    prefix: str
    """What is put in front of every text."""
    dimension: int
    """E."""


class TextNetwork:
    """Texts -> tokens -> vectors, as the library makes them."""

    def __init__(self, folder: Path, facts: TextFacts) -> None:
        """Read the graph and the tokenizer of an encoder's folder.

        Raises:
            InputError: A file is missing or damaged.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        self.facts = facts
        self._folder = folder
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait for work would take the cores from whatever else runs here.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            self._session = onnxruntime.InferenceSession(
                folder / NETWORK, options, providers=["CPUExecutionProvider"]
            )
        # Neither library's errors have a base class of their own.
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(
                f"{folder}: damaged text model ({reason}); make it again with "
                "dvc repro --force text_block"
            ) from error

    def encode(self, texts: Sequence[str], batch_size: int) -> np.ndarray:
        """Encode M texts as [M, E] float32, those of about one length together."""
        facts = self.facts
        stripped = [facts.prefix + text.strip() for text in texts]
        read = [text.lower() if facts.lower else text for text in stripped]
        vector_ME = np.zeros((len(read), facts.dimension), dtype=np.float32)
        by_length = sorted(range(len(read)), key=lambda row: len(read[row]))
        for start in range(0, len(read), batch_size):
            rows = by_length[start : start + batch_size]
            encoded = self._tokenizer.encode_batch([read[row] for row in rows])
            token_BL = np.array([one.ids for one in encoded], dtype=np.int64)
            mask_BL = np.array([one.attention_mask for one in encoded], dtype=np.int64)
            given = dict(zip(INPUTS, (token_BL, mask_BL), strict=True))
            vector_ME[rows] = self._session.run([OUTPUT], given)[0]
        return vector_ME

    def save(self, folder: Path) -> None:
        """Copy the files into a folder.

        Raises:
            InputError: It cannot be written to.
        """
        for name in (NETWORK, TOKENIZER):
            with atomic_path(folder / name) as temporary:
                shutil.copyfile(self._folder / name, temporary)

    def described(self) -> dict[str, Any]:
        """What `load_text_network` wants to be told."""
        return asdict(self.facts)


def load_text_network(folder: Path, described: dict[str, Any] | None) -> TextNetwork | None:
    """Load what an encoder was stored with; None for one that has no network.

    Raises:
        InputError: A file is missing or damaged.
    """
    if described is None:
        return None
    try:
        facts = TextFacts(**described)
    except TypeError as error:
        raise InputError(f"{folder}: not the facts of a text model; make it again") from error
    return TextNetwork(folder, facts)
