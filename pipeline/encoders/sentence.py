"""Sentence embeddings by any sentence-transformers model.

Shape letters: N texts, M texts that are not empty, E features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from pipeline.core.device import choose_device
from pipeline.core.precision import autocast_type
from pipeline.encoders.pretrained import (
    locate_model,
    on_terminal,
    one_line,
    quiet_off_terminal,
    zero_rows_for_empty,
)
from pipeline.encoders.saved_settings import PretrainedEncoder, model_digest, weights_digest
from pipeline.encoders.sentence_bert import SentenceBert, load_sentence_bert


class SentenceEncoder(PretrainedEncoder):
    """A sentence-transformers model as it is; nothing is fitted."""

    FORMAT = "1"

    def __init__(
        self,
        *,
        model: str,
        batch_size: int,
        device: str,
        precision: str,
        digest: str | None = None,
    ) -> None:
        """Load the model.

        Args:
            model: `packaged/all_minilm_l6_v2`, a folder, or a name on the Hugging Face hub.
            batch_size: Texts per forward pass; they are taken by length.
            device: `auto`, `cpu` or `cuda`.
            precision: `fp32`, `bf16`, or `auto`: bf16 on CUDA devices that have it.
            digest: From `model_digest`, where it is known: a model of a common shape then runs
                without the library, which takes seconds to import.

        Raises:
            InputError: The model cannot be found or loaded.
        """
        self._settings: dict[str, Any] = {
            "model": model,
            "batch_size": batch_size,
            "device": device,
            "precision": precision,
        }
        self._device = choose_device(device)
        self._autocast = autocast_type("text.sentence.precision", precision, self._device)
        place = locate_model(model)
        self._light: SentenceBert | None = None
        if digest is not None and self._device.type == "cpu" and self._autocast is None:
            with one_line(model):
                light = load_sentence_bert(Path(place))
            if light is not None and model_digest(light.digest, place) == digest:
                self._light, self._digest = light, digest
        if self._light is None:
            from sentence_transformers import SentenceTransformer

            quiet_off_terminal()
            with one_line(model):
                self._model = SentenceTransformer(place, device=str(self._device)).eval()
            inner = getattr(self._model[0], "auto_model", None)
            commit = getattr(getattr(inner, "config", None), "_commit_hash", None) or ""
            self._digest = model_digest(weights_digest(self._model), place, commit)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts.

        Args:
            texts: N texts; longer ones than the model takes are cut by it.

        Returns:
            [N, E] float32 as the model gives them (unit norm if it normalises); an empty text is a
            row of zeros.
        """
        texts = list(texts)
        present = [text for text in texts if text.strip()]
        if not present:
            return np.zeros((len(texts), self._width), dtype=np.float32)
        if self._light is not None:
            size = self._settings["batch_size"]
            starts = range(0, len(present), size)
            parts = [self._light.encode(present[start : start + size]) for start in starts]
            return zero_rows_for_empty(texts, np.concatenate(parts))
        with torch.autocast(self._device.type, self._autocast, enabled=self._autocast is not None):
            vector_ME = self._model.encode(
                present,
                batch_size=self._settings["batch_size"],
                show_progress_bar=on_terminal() and len(present) > self._settings["batch_size"],
                convert_to_numpy=True,
            )
        return zero_rows_for_empty(texts, np.asarray(vector_ME, dtype=np.float32))

    @property
    def _width(self) -> int:
        if self._light is not None:
            return self._light.dimension
        return int(self._model.get_embedding_dimension() or 0)

    @classmethod
    def _reopen(cls, folder: Path, settings: dict[str, Any], digest: str) -> Self:
        return cls(**settings, digest=digest)
