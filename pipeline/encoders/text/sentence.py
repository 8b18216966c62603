"""Sentence embeddings by any sentence-transformers model.

Shape letters: M texts, E features.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from pipeline.core.errors import InputError
from pipeline.encoders.find_model import locate_model, one_line, quiet_off_terminal
from pipeline.encoders.model_digest import model_digest, weights_digest
from pipeline.encoders.packaged_network import open_packaged, packaged_name
from pipeline.encoders.pretrained import PretrainedEncoder, PretrainedSettings
from pipeline.encoders.text_network import TextFacts

if TYPE_CHECKING:
    from pipeline.encoders.export_network import NetworkParts


class Settings(PretrainedSettings):
    """A model of a package, or any of sentence-transformers: a folder, or one of the hub.

    Packages have all_minilm_l6_v2, and by code of their own muse_v3 and multilingual_e5_small.
    """


class Encoder(PretrainedEncoder[Settings]):
    """A model as it is (unit norm if it normalises); nothing is fitted."""

    SECTION = Settings
    FORMAT = "SentenceEncoder 1"
    LIBRARY = "sentence-transformers"

    @classmethod
    def open(cls, settings: Settings, cache: Path) -> Self:
        """See `PretrainedEncoder.open`; what a package runs itself needs no cache."""
        name = packaged_name(settings.model)
        if name is None:
            return super().open(settings, cache)
        for key, value in (("device", settings.device), ("precision", settings.precision)):
            if value in ("cuda", "bf16"):
                raise InputError(
                    f"text.sentence.{key}: got {value}, but {settings.model} runs on the CPU, as "
                    "its package has it; use auto"
                )
        network = open_packaged(name)
        return cls(settings, network, network.digest)

    def _open(self) -> str:
        from sentence_transformers import SentenceTransformer

        place = locate_model(self.settings.model)
        quiet_off_terminal()
        with one_line(self.settings.model):
            self._model = SentenceTransformer(place, device=str(self._device)).eval()
        inner = getattr(self._model[0], "auto_model", None)
        commit = getattr(getattr(inner, "config", None), "_commit_hash", None) or ""
        return model_digest(weights_digest(self._model), place, commit)

    def _encode(self, texts: list[str]) -> np.ndarray:
        if not texts:
            width = self._model.get_embedding_dimension()
            return np.zeros((0, int(width or 0)), dtype=np.float32)
        with self._autocast():
            vector_ME = self._model.encode(
                texts,
                batch_size=self.settings.batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return np.asarray(vector_ME, dtype=np.float32)

    def _parts(self) -> NetworkParts:
        from pipeline.encoders.export_network import NetworkParts, copy_tokenizer, fill_up_as
        from pipeline.encoders.graphs import SentenceGraph

        model = self._model
        fast = copy_tokenizer(model.tokenizer)
        fill_up_as(fast, model.tokenizer)
        if model.max_seq_length is not None:
            fast.enable_truncation(int(model.max_seq_length))
        facts = TextFacts(
            dimension=int(model.get_embedding_dimension()),
            lower=bool(getattr(model[0], "do_lower_case", False)),
            prefix=model.prompts.get(model.default_prompt_name or "") or "",
        )
        return NetworkParts(SentenceGraph(model), ("token", "mask"), fast, facts)
