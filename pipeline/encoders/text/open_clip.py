"""The text side of an open_clip model, so that image and text can start from one CLIP.

Shape letters: M texts, L tokens, E features.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import TypedDict

from pipeline.core.clip_name import CONFIGURATION, HUB, ClipName, read_clip_name
from pipeline.core.errors import InputError
from pipeline.core.file_digest import file_digest, folder_digest
from pipeline.core.json_file import read_json_as
from pipeline.core.published_model import check_hub
from pipeline.encoders.find_model import PACKAGED, one_line
from pipeline.encoders.model_digest import model_digest, weights_digest
from pipeline.encoders.pretrained import PretrainedEncoder, PretrainedSettings
from pipeline.encoders.text_network import TextFacts

if TYPE_CHECKING:
    from pipeline.encoders.export_network import NetworkParts


class _Text(TypedDict, total=False):
    hf_tokenizer_name: str | None


class _Model(TypedDict, total=False):
    text_cfg: _Text


class _Published(TypedDict, total=False):
    """What is read of a published model's CONFIGURATION."""

    model_cfg: _Model


class Settings(PretrainedSettings):
    """`architecture/pretrained`, such as `ViT-B-32/laion2b_s34b_b79k`, or a file of weights.

    Or a published model: `hf-hub:Marqo/marqo-fashionSigLIP`, or a folder laid out like it.
    """


class Encoder(PretrainedEncoder[Settings]):
    """Text embeddings of a CLIP model, not normalised; longer texts are cut by its tokenizer."""

    SECTION = Settings
    FORMAT = "OpenClipEncoder 1"
    LIBRARY = "open_clip_torch"

    @classmethod
    def _told(cls, settings: Settings) -> str | None:
        clip = read_clip_name(settings.model)
        if clip.is_published:
            folder = clip.folder()
            return None if folder is None or not folder.is_dir() else folder_digest(folder)
        package = find_spec("open_clip")
        if package is None or package.origin is None:
            return None
        configuration = Path(package.origin).parent / "model_configs" / f"{clip.model}.json"
        if not configuration.is_file():  # one that the user's own program added
            return None
        # Weights by a name of the library's are what its version means by it.
        own = Path(clip.pretrained)
        weights = file_digest(own) if own.is_file() else clip.pretrained
        return f"{clip.model} {file_digest(configuration)} {weights}"

    def _open(self) -> str:
        import open_clip

        model = self.settings.model
        clip = read_clip_name(model)
        clip.check(f"text model {model}", PACKAGED)
        if clip.is_published:
            _check_tokenizer(model, clip)
        else:
            _check_known(model, clip)
        with one_line(model):
            network = open_clip.create_model(
                clip.model,
                pretrained=clip.pretrained or None,
                device="cpu",
                # Of a published model without its weights open_clip makes random ones.
                require_pretrained=True,
            )
            self._tokenizer = open_clip.get_tokenizer(clip.model)
        self._model = network.to(self._device).eval()
        folder = clip.folder()
        # Not a folder's name, which may change.
        place, name = (None, clip.model) if folder is None else (str(folder), "")
        return model_digest(weights_digest(self._model), place, name)

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


def _check_tokenizer(model: str, clip: ClipName) -> None:
    """Stop before transformers retries for a minute; a folder has its tokenizer in it."""
    folder = clip.folder()
    if folder is None or not clip.model.startswith(HUB):
        return
    found = read_json_as(folder / CONFIGURATION, _Published, "get the model again")
    if name := found.get("model_cfg", {}).get("text_cfg", {}).get("hf_tokenizer_name"):
        files = ["tokenizer.json", "tokenizer_config.json"]
        what = f"text model {model}, of its tokenizer {name}"
        check_hub(name, files, what=what, instead=PACKAGED)


def _check_known(model: str, clip: ClipName) -> None:
    """Stop before open_clip retries for a minute."""
    import open_clip

    architecture, pretrained = clip
    if not pretrained:
        raise InputError(
            f"text model {model}: expected architecture/pretrained, such as "
            "ViT-B-32/laion2b_s34b_b79k, hf-hub:owner/model, or a folder"
        )
    if architecture not in open_clip.list_models():
        raise InputError(
            f"text model {model}: open_clip has no architecture {architecture}; see "
            "open_clip.list_models()"
        )
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
        files = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
        check_hub(hub, files, what=f"text model {model}", instead=PACKAGED)
