"""A sentence model of the BERT family without the libraries that train them.

sentence-transformers and transformers take seconds to import, which one query from the shell need
not wait for. This is the forward pass of the commonest shape alone (BERT, mean of the tokens);
tests compare it with the library, which remains the reference and serves every other shape.

Shape letters: M texts, L tokens of the longest, E features, A heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from pipeline.core.json_file import read_json
from pipeline.encoders.pretrained import tensors_digest

MODULES = ("Transformer", "Pooling", "Normalize")
"""What a model is made of, in this order; the last may be missing."""
CONFIG = {"model_type": "bert", "hidden_act": "gelu"}
FILES = (
    "modules.json",
    "config.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
    "tokenizer.json",
    "model.safetensors",
)
PREFIX = "0.model."
"""What the library's names of weights begin with."""
BUFFERS = ("embeddings.position_ids",)
"""Stored by older versions of transformers; no weights."""


class SentenceBert:
    """Tokens -> BERT -> mean over the tokens -> unit norm."""

    def __init__(self, folder: Path, weights: dict[str, Tensor], config: dict[str, Any]) -> None:
        """Put a model together; use `load_sentence_bert`."""
        settings = read_json(folder / "sentence_bert_config.json")
        self._lower = bool(settings.get("do_lower_case", False))
        self._normalise = len(read_json(folder / "modules.json")) == len(MODULES)
        self._weights = weights
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._epsilon = float(config["layer_norm_eps"])
        self.dimension = int(config["hidden_size"])
        """E."""
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(int(settings["max_seq_length"]))
        self._tokenizer.enable_padding(pad_id=int(config["pad_token_id"]))

    @property
    def digest(self) -> str:
        """What `weights_digest` gives for the library's model of the same weights."""
        named = {PREFIX + name: x for name, x in self._weights.items() if name not in BUFFERS}
        return tensors_digest(named)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode M texts, none of them empty, as [M, E] float32."""
        texts = [text.strip().lower() if self._lower else text.strip() for text in texts]
        encoded = self._tokenizer.encode_batch(texts)
        token_ML = torch.tensor([one.ids for one in encoded])
        mask_ML = torch.tensor([one.attention_mask for one in encoded], dtype=torch.bool)
        with torch.inference_mode():
            state_MLE = self._embed(token_ML)
            for layer in range(self._layers):
                state_MLE = self._layer(f"encoder.layer.{layer}.", state_MLE, mask_ML)
            weight_ML1 = mask_ML[:, :, None].float()
            mean_ME = (state_MLE * weight_ML1).sum(dim=1) / weight_ML1.sum(dim=1)
            return (functional.normalize(mean_ME, dim=1) if self._normalise else mean_ME).numpy()

    def _embed(self, token_ML: Tensor) -> Tensor:
        weights = self._weights
        summed_MLE = (
            weights["embeddings.word_embeddings.weight"][token_ML]
            + weights["embeddings.token_type_embeddings.weight"][0]
            + weights["embeddings.position_embeddings.weight"][: token_ML.shape[1]]
        )
        return self._norm("embeddings.LayerNorm", summed_MLE)

    def _layer(self, name: str, state_MLE: Tensor, mask_ML: Tensor) -> Tensor:
        query, key, value = (
            self._linear(f"{name}attention.self.{part}", state_MLE)
            .unflatten(2, (self._heads, -1))
            .transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask_ML[:, None, None, :]
        )
        mixed_MLE = self._linear(f"{name}attention.output.dense", mixed.transpose(1, 2).flatten(2))
        state_MLE = self._norm(f"{name}attention.output.LayerNorm", mixed_MLE + state_MLE)
        inner = functional.gelu(self._linear(f"{name}intermediate.dense", state_MLE))
        outer_MLE = self._linear(f"{name}output.dense", inner)
        return self._norm(f"{name}output.LayerNorm", outer_MLE + state_MLE)

    def _linear(self, name: str, state: Tensor) -> Tensor:
        return functional.linear(
            state, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        )

    def _norm(self, name: str, state: Tensor) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(state, weight.shape, weight, bias, self._epsilon)


def load_sentence_bert(folder: Path) -> SentenceBert | None:
    """Load a model's folder if it is of this shape; None where the library is needed."""
    if not all((folder / name).is_file() for name in FILES):
        return None
    modules = [module["type"].rpartition(".")[2] for module in read_json(folder / "modules.json")]
    pooling = read_json(folder / "1_Pooling" / "config.json")
    modes = {key for key, value in pooling.items() if key.startswith("pooling_mode") and value}
    config = read_json(folder / "config.json")
    known = (
        tuple(modules) in (MODULES, MODULES[:2])
        and modes == {"pooling_mode_mean_tokens"}
        and CONFIG.items() <= config.items()
        and config.get("position_embedding_type", "absolute") == "absolute"
        and isinstance(read_json(folder / "sentence_bert_config.json").get("max_seq_length"), int)
        and not _prompts(folder)
    )
    if not known:
        return None
    weights = load_file(folder / "model.safetensors")
    if any(x.dtype != torch.float32 for name, x in weights.items() if name not in BUFFERS):
        return None
    return SentenceBert(folder, weights, config)


def _prompts(folder: Path) -> bool:
    """Whether the library puts a prompt in front of every text."""
    path = folder / "config_sentence_transformers.json"
    return path.is_file() and bool(read_json(path).get("default_prompt_name"))
