"""Sentence embeddings by any sentence-transformers model.

Shape letters: M texts, E features.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from pipeline.encoders.find_model import locate_model, on_terminal, one_line, quiet_off_terminal
from pipeline.encoders.pretrained import (
    PretrainedEncoder,
    PretrainedSettings,
    model_digest,
    weights_digest,
)

if TYPE_CHECKING:
    from pipeline.encoders.sentence_bert import SentenceBert


class Settings(PretrainedSettings):
    """A sentence-transformers model: `packaged/all_minilm_l6_v2`, a folder, or one of the hub."""


class Encoder(PretrainedEncoder[Settings]):
    """A sentence-transformers model as it is (unit norm if it normalises); nothing is fitted."""

    SECTION = Settings
    FORMAT = "SentenceEncoder 1"

    def __init__(self, settings: Settings, digest: str | None = None) -> None:
        """Load the model.

        Args:
            settings: Which, and how to run it; texts are taken by length.
            digest: From `model_digest`, where it is known: a model of a common shape then runs
                without the library, which takes seconds to import.

        Raises:
            InputError: The model cannot be found or loaded.
        """
        super().__init__(settings)
        place = locate_model(settings.model)
        self._light: SentenceBert | None = None
        if digest is not None and self._device.type == "cpu" and self._autocast_type is None:
            from pipeline.encoders.sentence_bert import load_sentence_bert

            with one_line(settings.model):
                light = load_sentence_bert(Path(place))
            if light is not None and model_digest(light.digest, place) == digest:
                self._light, self._digest = light, digest
        if self._light is None:
            from sentence_transformers import SentenceTransformer

            quiet_off_terminal()
            with one_line(settings.model):
                self._model = SentenceTransformer(place, device=str(self._device)).eval()
            inner = getattr(self._model[0], "auto_model", None)
            commit = getattr(getattr(inner, "config", None), "_commit_hash", None) or ""
            self._digest = model_digest(weights_digest(self._model), place, commit)

    def _encode(self, texts: list[str]) -> np.ndarray:
        size = self.settings.batch_size
        if not texts:
            light = self._light
            width = light.dimension if light else self._model.get_embedding_dimension()
            return np.zeros((0, int(width or 0)), dtype=np.float32)
        if self._light is not None:
            starts = range(0, len(texts), size)
            return np.concatenate([self._light.encode(texts[n : n + size]) for n in starts])
        with self._autocast():
            vector_ME = self._model.encode(
                texts,
                batch_size=size,
                show_progress_bar=on_terminal() and len(texts) > size,
                convert_to_numpy=True,
            )
        return np.asarray(vector_ME, dtype=np.float32)

    @classmethod
    def _reopen(cls, folder: Path, settings: Settings, digest: str) -> Self:
        return cls(settings, digest)
