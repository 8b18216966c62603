"""Hidden states of a Hugging Face encoder, averaged over a text's tokens (HUSE section 2: BERT).

Shape letters: N texts, M texts that are not empty, B batch, L tokens, V token vocabulary,
E features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from pipeline.core.device import choose_device
from pipeline.core.errors import InputError
from pipeline.core.precision import autocast_type
from pipeline.encoders.pretrained import (
    locate_model,
    one_line,
    quiet_off_terminal,
    zero_rows_for_empty,
)
from pipeline.encoders.saved_settings import PretrainedEncoder, model_digest, weights_digest
from pipeline.encoders.saved_words import load_tensors, save_tensors
from pipeline.encoders.token_choice import choose_tokens, token_idf

UNLIMITED = 10**6
"""Tokenizers without a limit say a number above this."""


class TransformerEncoder(PretrainedEncoder):
    """Mean over tokens of the last layers, the layers concatenated (the paper) or averaged.

    Notebook B counts [CLS] and [SEP] as tokens; `special_tokens` does so too.
    """

    FORMAT = "1"
    OF_CHOICE = ("keep", "max_tokens")

    def __init__(
        self,
        *,
        model: str,
        layers: int,
        combine: str,
        special_tokens: bool,
        max_tokens: int,
        keep: str,
        batch_size: int,
        device: str,
        precision: str,
        idf_V: np.ndarray | None = None,
    ) -> None:
        """Load the model.

        Args:
            model: `packaged/all_minilm_l6_v2`, a folder, or a name on the Hugging Face hub.
            layers: How many of the last layers are taken.
            combine: `concat` or `mean` of the layers.
            special_tokens: Whether [CLS], [SEP] and their like count as tokens of the text.
            max_tokens: Most tokens of a text, special ones included; at most the model's own limit.
            keep: Of a longer text, the `first` tokens or, as in the paper, the most `salient`.
            batch_size: Texts per forward pass; texts of a batch are of similar length.
            device: `auto`, `cpu` or `cuda`.
            precision: `fp32`, `bf16`, or `auto`: bf16 on CUDA devices that have it.
            idf_V: [V] float32 inverse document frequencies of tokens, for `salient`; without them
                every token is as rare as any other.

        Raises:
            InputError: The model cannot be found or loaded, or has fewer layers.
        """
        from transformers import AutoModel, AutoTokenizer

        self._settings = {
            "model": model,
            "layers": layers,
            "combine": combine,
            "special_tokens": special_tokens,
            "max_tokens": max_tokens,
            "keep": keep,
            "batch_size": batch_size,
            "device": device,
            "precision": precision,
        }
        self._device = choose_device(device)
        self._autocast = autocast_type("text.transformer.precision", precision, self._device)
        place = locate_model(model)
        quiet_off_terminal()
        with one_line(model):
            self._tokenizer = AutoTokenizer.from_pretrained(place)
            self._model = AutoModel.from_pretrained(place).to(self._device).eval()
        available = int(self._model.config.num_hidden_layers)
        if layers > available:
            raise InputError(
                f"layers: got {layers}, but text model {model} has {available}; lower it"
            )
        self._layers, self._combine, self._keep = layers, combine, keep
        self._special_tokens, self._batch_size = special_tokens, batch_size
        self._max_tokens = min(max_tokens, self._limit())
        self._idf_V = idf_V
        commit = getattr(self._model.config, "_commit_hash", None) or ""
        self._digest = model_digest(weights_digest(self._model), place, commit)

    @classmethod
    def fit(cls, texts: Sequence[str], train_texts: Sequence[str], **settings: Any) -> Self:
        """See `TextEncoder.fit`; what is fitted is how rare each token is."""
        encoder = cls(**settings)
        if settings["keep"] == "salient":
            encoder._idf_V = token_idf(encoder._tokenize(train_texts)[0], len(encoder._tokenizer))
        return encoder

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

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts.

        Args:
            texts: N texts.

        Returns:
            [N, E] float32; an empty text, or one of special tokens alone, is a row of zeros.
        """
        texts = list(texts)
        present = [text for text in texts if text.strip()]
        chosen = self._choose(present)
        hidden = int(self._model.config.hidden_size)
        width = hidden * (self._layers if self._combine == "concat" else 1)
        vector_ME = np.zeros((len(present), width), dtype=np.float32)
        by_length = sorted(range(len(present)), key=lambda row: -len(chosen[row][0]))
        starts = range(0, len(present), self._batch_size)
        for start in tqdm(starts, desc="text batches", disable=None if len(starts) > 1 else True):
            rows = by_length[start : start + self._batch_size]
            vector_ME[rows] = self._encode_batch([chosen[row] for row in rows]).cpu().numpy()
        return zero_rows_for_empty(texts, vector_ME)

    def save(self, folder: Path) -> None:
        """Write `encoder.json` and, if fitted, `idf.safetensors`.

        Args:
            folder: Created if missing.
        """
        super().save(folder)
        if self._idf_V is not None:
            save_tensors(folder / "idf.safetensors", {"idf": self._idf_V})

    @classmethod
    def _reopen(cls, folder: Path, settings: dict[str, Any], digest: str) -> Self:
        salient = settings["keep"] == "salient"
        idf_V = load_tensors(folder / "idf.safetensors", ["idf"])["idf"] if salient else None
        return cls(**settings, idf_V=idf_V)

    def _limit(self) -> int:
        limit = int(self._tokenizer.model_max_length)
        return limit if limit < UNLIMITED else int(self._model.config.max_position_embeddings)

    def _choose(self, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Numbers of the tokens that are kept of each text, and which of them are special."""
        salient = self._keep == "salient"
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
        longest = max(1, *(len(ids) for ids, _ in batch))
        ids_BL = torch.full((len(batch), longest), self._tokenizer.pad_token_id or 0)
        attention_BL = torch.zeros(len(batch), longest, dtype=torch.int64)
        counted_BL = torch.zeros(len(batch), longest)
        for row, (ids, special) in enumerate(batch):
            ids_BL[row, : len(ids)] = torch.from_numpy(ids)
            attention_BL[row, : len(ids)] = 1
            counted_BL[row, : len(ids)] = torch.from_numpy(
                np.ones(len(ids)) if self._special_tokens else ~special
            )
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, self._autocast, enabled=self._autocast is not None),
        ):
            output = self._model(
                input_ids=ids_BL.to(self._device),
                attention_mask=attention_BL.to(self._device),
                output_hidden_states=True,
            )
        counted_BL1 = counted_BL.to(self._device)[..., None]
        count_B1 = counted_BL1.sum(dim=1).clamp_min(1.0)
        means = [
            (layer.float() * counted_BL1).sum(dim=1) / count_B1
            for layer in output.hidden_states[-self._layers :]
        ]
        return torch.cat(means, dim=1) if self._combine == "concat" else torch.stack(means).mean(0)
