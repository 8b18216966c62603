"""Hidden states of a Hugging Face encoder, averaged over a text's tokens (HUSE section 2: BERT).

Shape letters: M texts, B batch, L tokens, P tokens kept, V token vocabulary, E features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.encoders.find_model import locate_model, one_line, quiet_off_terminal
from pipeline.encoders.pretrained import (
    PretrainedEncoder,
    PretrainedSettings,
    model_digest,
    weights_digest,
)
from pipeline.encoders.token_choice import choose_tokens, token_idf
from pipeline.encoders.word_tensors import load_tensors, save_tensors

if TYPE_CHECKING:
    from torch import Tensor

UNLIMITED = 10**6
"""Tokenizers without a limit say a number above this."""


class Settings(PretrainedSettings):
    """Mean over tokens of hidden states; a model as for encoder `sentence`."""

    layers: Annotated[int, Field(ge=1)]
    """How many of the last layers."""
    combine: Literal["concat", "mean"]
    """What is done with the layers."""
    special_tokens: bool
    """Whether [CLS] and [SEP] count as tokens of the text."""
    max_tokens: Annotated[int, Field(ge=3)]
    """Most tokens of a text, special ones included; at most the model's own limit."""
    keep: Literal["first", "salient"]
    """Which tokens of a longer text."""


class Encoder(PretrainedEncoder[Settings]):
    """Mean over tokens of the last layers, the layers concatenated (the paper) or averaged.

    Notebook B counts [CLS] and [SEP] as tokens; `special_tokens` does so too.
    """

    SECTION = Settings
    FORMAT = "TransformerEncoder 1"
    OF_CHOICE = {"keep", "max_tokens"}  # noqa: RUF012 - a ClassVar in the base

    _idf_V: np.ndarray | None = None
    """[V] float32 inverse document frequencies of tokens, for `salient`; without them every token
    is as rare as any other."""

    def _open(self) -> str:
        from transformers import AutoModel, AutoTokenizer

        settings = self.settings
        place = locate_model(settings.model)
        quiet_off_terminal()
        with one_line(settings.model):
            self._tokenizer = AutoTokenizer.from_pretrained(place)
            self._model = AutoModel.from_pretrained(place).to(self._device).eval()
        available = int(self._model.config.num_hidden_layers)
        if settings.layers > available:
            raise InputError(
                f"layers: got {settings.layers}, but text model {settings.model} has {available}; "
                "lower it"
            )
        self._max_tokens = min(settings.max_tokens, self._limit())
        commit = getattr(self._model.config, "_commit_hash", None) or ""
        return model_digest(weights_digest(self._model), place, commit)

    @classmethod
    def fit(
        cls, texts: Sequence[str], train_texts: Sequence[str], settings: Settings, cache: Path
    ) -> Self:
        """See `TextEncoder.fit`; what is fitted is how rare each token is."""
        encoder = cls(settings)
        if settings.keep == "salient":
            encoder._idf_V = token_idf(encoder._tokenize(train_texts)[0], len(encoder._tokenizer))
        return encoder

    def _fitted(self) -> dict[str, Any]:
        return {"_idf_V": self._idf_V}

    def seen(self, texts: Sequence[str]) -> list[bytes]:
        """See `TextEncoder.seen`.

        It is the tokens that are kept, so that new training texts, which make every token a little
        rarer or commoner, change only the texts that are cut otherwise.
        """
        chosen = iter(self._choose([text for text in texts if text.strip()]))
        return [
            b"".join(part_P.tobytes() for part_P in next(chosen)) if text.strip() else b""
            for text in texts
        ]

    def _encode(self, texts: list[str]) -> np.ndarray:
        chosen = self._choose(texts)
        hidden = int(self._model.config.hidden_size)
        width = hidden * (self.settings.layers if self.settings.combine == "concat" else 1)
        vector_ME = np.zeros((len(texts), width), dtype=np.float32)
        # Little is padded where texts of a batch are of a length.
        by_length = sorted(range(len(texts)), key=lambda row: -len(chosen[row][0]))
        for start in range(0, len(texts), self.settings.batch_size):
            rows = by_length[start : start + self.settings.batch_size]
            vector_ME[rows] = self._encode_batch([chosen[row] for row in rows]).cpu().numpy()
        return vector_ME

    def save(self, folder: Path) -> None:
        """Write `encoder.json` and, if fitted, `idf.safetensors`."""
        super().save(folder)
        if self._idf_V is not None:
            save_tensors(folder / "idf.safetensors", {"idf": self._idf_V})

    @classmethod
    def _reopen(cls, folder: Path, settings: Settings) -> Self:
        encoder = cls(settings)
        if settings.keep == "salient":
            encoder._idf_V = load_tensors(folder / "idf.safetensors", ["idf"])["idf"]
        return encoder

    def _limit(self) -> int:
        limit = int(self._tokenizer.model_max_length)
        return limit if limit < UNLIMITED else int(self._model.config.max_position_embeddings)

    def _choose(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Numbers of the tokens that are kept of each text, and which of them are special."""
        salient = self.settings.keep == "salient"
        chosen = []
        for ids_L, special_L in zip(*self._tokenize(texts), strict=True):
            kept_P = choose_tokens(ids_L, special_L, self._max_tokens, self._idf_V, salient=salient)
            chosen.append((ids_L[kept_P], special_L[kept_P]))
        return chosen

    def _tokenize(self, texts: Sequence[str]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Token numbers of each text, and which of them are special."""
        if not texts:
            return [], []
        # Not verbose: a warning for every text over the limit, which is what the choice is for.
        found = self._tokenizer(
            list(texts), return_special_tokens_mask=True, return_attention_mask=False, verbose=False
        )
        return (
            [np.asarray(ids, dtype=np.int64) for ids in found["input_ids"]],
            [np.asarray(mask, dtype=bool) for mask in found["special_tokens_mask"]],
        )

    def _encode_batch(self, batch: list[tuple[np.ndarray, np.ndarray]]) -> Tensor:
        import torch

        longest = max(1, *(len(ids) for ids, _ in batch))
        ids_BL = torch.full((len(batch), longest), self._tokenizer.pad_token_id or 0)
        attention_BL = torch.zeros(len(batch), longest, dtype=torch.int64)
        counted_BL = torch.zeros(len(batch), longest)
        for row, (ids, special) in enumerate(batch):
            ids_BL[row, : len(ids)] = torch.from_numpy(ids)
            attention_BL[row, : len(ids)] = 1
            counted_BL[row, : len(ids)] = torch.from_numpy(
                np.ones(len(ids)) if self.settings.special_tokens else ~special
            )
        with torch.inference_mode(), self._autocast():
            output = self._model(
                input_ids=ids_BL.to(self._device),
                attention_mask=attention_BL.to(self._device),
                output_hidden_states=True,
            )
        counted_BL1 = counted_BL.to(self._device)[..., None]
        count_B1 = counted_BL1.sum(dim=1).clamp_min(1.0)
        means = [
            (layer.float() * counted_BL1).sum(dim=1) / count_B1
            for layer in output.hidden_states[-self.settings.layers :]
        ]
        concat = self.settings.combine == "concat"
        return torch.cat(means, dim=1) if concat else torch.stack(means).mean(0)
