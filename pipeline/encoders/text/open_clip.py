"""The text side of an open_clip model, so that image and text can start from one CLIP.

Shape letters: M texts, L tokens, E features.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.errors import InputError
from pipeline.encoders.find_model import check_hub, one_line
from pipeline.encoders.model_digest import (
    file_digest,
    model_digest,
    weights_digest,
)
from pipeline.encoders.pretrained import PretrainedEncoder, PretrainedSettings
from pipeline.encoders.text_network import TextFacts

if TYPE_CHECKING:
    from pipeline.encoders.export_network import NetworkParts


class Settings(PretrainedSettings):
    """`architecture/pretrained`, such as `ViT-B-32/laion2b_s34b_b79k`, or a file of weights."""


class Encoder(PretrainedEncoder[Settings]):
    """Text embeddings of a CLIP model, not normalised; longer texts are cut by its tokenizer."""

    SECTION = Settings
    FORMAT = "OpenClipEncoder 1"
    LIBRARY = "open_clip_torch"

    @classmethod
    def _told(cls, settings: Settings) -> str | None:
        architecture, pretrained = _split(settings.model)
        package = find_spec("open_clip")
        if package is None or package.origin is None:
            return None
        configuration = Path(package.origin).parent / "model_configs" / f"{architecture}.json"
        if not configuration.is_file():  # one that the user's own program added
            return None
        # Weights by a name of the library's are what its version means by it.
        weights = file_digest(Path(pretrained)) if Path(pretrained).is_file() else pretrained
        return f"{architecture} {file_digest(configuration)} {weights}"

    def _open(self) -> str:
        import open_clip

        model = self.settings.model
        architecture, pretrained = _split(model)
        if not pretrained:
            raise InputError(
                f"text model {model}: expected architecture/pretrained, such as "
                "ViT-B-32/laion2b_s34b_b79k"
            )
        if architecture not in open_clip.list_models():
            raise InputError(
                f"text model {model}: open_clip has no architecture {architecture}; see "
                "open_clip.list_models()"
            )
        _check_pretrained(model, architecture, pretrained)
        with one_line(model):
            clip = open_clip.create_model(architecture, pretrained=pretrained, device="cpu")
            self._tokenizer = open_clip.get_tokenizer(architecture)
        self._model = clip.to(self._device).eval()
        return model_digest(weights_digest(self._model), None, architecture)

    def _encode(self, texts: list[str]) -> np.ndarray:
        import torch

        size = self.settings.batch_size
        pieces = []
        # An empty batch still tells the width.
        for start in range(0, max(len(texts), 1), size):
            tokens_BL = self._tokenizer(texts[start : start + size] or [""]).to(self._device)
            with torch.inference_mode(), self._autocast():
                pieces.append(self._model.encode_text(tokens_BL).float().cpu().numpy())
        return np.concatenate(pieces)[: len(texts)]

    def _parts(self) -> NetworkParts:
        from pipeline.encoders.clip_tokenizer import fast_tokenizer
        from pipeline.encoders.export_network import NetworkParts
        from pipeline.encoders.graphs import ClipText

        fast, clean, lower, stripped = fast_tokenizer(self._tokenizer)
        dimension = self._encode([]).shape[1]
        facts = TextFacts(dimension=dimension, clean=clean, lower=lower)
        return NetworkParts(ClipText(self._model, stripped), ("token",), fast, facts)


def _split(model: str) -> tuple[str, str]:
    """Architecture, and weights or an empty text."""
    architecture, _, pretrained = model.removeprefix("open_clip/").partition("/")
    return architecture, pretrained


def _check_pretrained(model: str, architecture: str, pretrained: str) -> None:
    """Stop before open_clip retries for a minute."""
    import open_clip

    if Path(pretrained).is_file():
        return
    known = open_clip.list_pretrained_tags_by_model(architecture)
    if pretrained not in known:
        raise InputError(
            f"text model {model}: no file {pretrained}, and {architecture} has no such weights; "
            f"known: {', '.join(known) or 'none'}"
        )
    hub = open_clip.get_pretrained_cfg(architecture, pretrained).get("hf_hub", "").rstrip("/")
    if hub:
        check_hub(hub, ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"])
