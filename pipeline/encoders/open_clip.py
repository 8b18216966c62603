"""The text side of an open_clip model, so that image and text can start from one CLIP.

Shape letters: N texts, M texts that are not empty, E features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pipeline.core.device import choose_device
from pipeline.core.errors import InputError
from pipeline.core.precision import autocast_type
from pipeline.encoders.pretrained import check_hub, one_line, zero_rows_for_empty
from pipeline.encoders.saved_settings import PretrainedEncoder, model_digest, weights_digest


class OpenClipEncoder(PretrainedEncoder):
    """Text embeddings of a CLIP model, not normalised; nothing is fitted."""

    FORMAT = "1"

    def __init__(self, *, model: str, batch_size: int, device: str, precision: str) -> None:
        """Load the model.

        Args:
            model: `architecture/pretrained`, for example `ViT-B-32/laion2b_s34b_b79k`; the second
                part may be the path of a file of weights.
            batch_size: Texts per forward pass.
            device: `auto`, `cpu` or `cuda`.
            precision: `fp32`, `bf16`, or `auto`: bf16 on CUDA devices that have it.

        Raises:
            InputError: The model cannot be found or loaded.
        """
        import open_clip

        architecture, _, pretrained = model.removeprefix("open_clip/").partition("/")
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
        self._settings = {
            "model": model,
            "batch_size": batch_size,
            "device": device,
            "precision": precision,
        }
        self._device = choose_device(device)
        self._autocast = autocast_type("text.open_clip.precision", precision, self._device)
        _check_pretrained(model, architecture, pretrained)
        with one_line(model):
            clip = open_clip.create_model(architecture, pretrained=pretrained, device="cpu")
            self._tokenizer = open_clip.get_tokenizer(architecture)
        self._model = clip.to(self._device).eval()
        self._batch_size = batch_size
        self._digest = model_digest(weights_digest(self._model), None, architecture)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts.

        Args:
            texts: N texts; longer ones than the model takes are cut by its tokenizer.

        Returns:
            [N, E] float32; an empty text is a row of zeros.
        """
        texts = list(texts)
        present = [text for text in texts if text.strip()]
        # An empty batch still tells the width.
        starts = range(0, max(len(present), 1), self._batch_size)
        pieces = []
        for start in tqdm(starts, desc="text batches", disable=None if len(starts) > 1 else True):
            batch = present[start : start + self._batch_size] or [""]
            tokens_BL = self._tokenizer(batch).to(self._device)
            with (
                torch.inference_mode(),
                torch.autocast(
                    self._device.type, self._autocast, enabled=self._autocast is not None
                ),
            ):
                pieces.append(self._model.encode_text(tokens_BL).float().cpu().numpy())
        return zero_rows_for_empty(texts, np.concatenate(pieces)[: len(present)])


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
