"""The libraries' models as graphs of tensors.

Shape letters: B batch, L tokens of the longest, E features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceGraph(nn.Module):
    """The modules of sentence-transformers one after the other, on tensors in place of texts."""

    def __init__(self, model: SentenceTransformer) -> None:
        """Wrap a model."""
        super().__init__()
        self.modules_ = nn.ModuleList(model)
        self.types = "token_type_ids" in model.tokenizer.model_input_names

    def forward(self, token_BL: Tensor, mask_BL: Tensor) -> Tensor:
        """Embed texts, as [B, E]."""
        features = {"input_ids": token_BL, "attention_mask": mask_BL}
        if self.types:
            features["token_type_ids"] = torch.zeros_like(token_BL)
        for module in self.modules_:
            features = module(features)
        return features["sentence_embedding"]


class HiddenMeans(nn.Module):
    """Mean over tokens of the last hidden states of a Hugging Face encoder."""

    def __init__(self, model: nn.Module, layers: int, *, concat: bool) -> None:
        """Wrap a model, of which so many last layers are concatenated, or averaged."""
        super().__init__()
        self.model, self.layers, self.concat = model, layers, concat

    def forward(self, token_BL: Tensor, mask_BL: Tensor, counted_BL: Tensor) -> Tensor:
        """Average over the tokens that count, as [B, E]."""
        output: Any = self.model(
            input_ids=token_BL, attention_mask=mask_BL, output_hidden_states=True
        )
        counted_BL1 = counted_BL.float()[..., None]
        count_B1 = counted_BL1.sum(dim=1).clamp_min(1.0)
        means = [
            (layer.float() * counted_BL1).sum(dim=1) / count_B1
            for layer in output.hidden_states[-self.layers :]
        ]
        return torch.cat(means, dim=1) if self.concat else torch.stack(means).mean(0)


class ClipText(nn.Module):
    """The text side of an open_clip model."""

    def __init__(self, clip: Any, stripped: int | None) -> None:
        """Wrap a model, of whose tokens one may be taken for zeros."""
        super().__init__()
        self.clip, self.stripped = clip, stripped

    def forward(self, token_BL: Tensor) -> Tensor:
        """Embed texts, as [B, E], not normalised."""
        if self.stripped is not None:
            token_BL = torch.where(token_BL == self.stripped, 0, token_BL)
        vector_BE: Tensor = self.clip.encode_text(token_BL)
        return vector_BE.float()
