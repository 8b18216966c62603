"""A sentence-transformers model -> the files of a `TextNetwork`, checked against the library.

Shape letters: B batch, L tokens of the longest, E features.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.encoders.text_network import (
    INPUTS,
    NETWORK,
    OUTPUT,
    TOKENIZER,
    TextFacts,
    TextNetwork,
)

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TOLERANCE = 1e-5
"""Largest difference from the library that is put down to another order of sums."""
TEXTS = ["sad cat", " Chloé's  long-sleeved, BLACK dress\t(size 38) ", "x", "word " * 1000, "猫"]
"""What the check encodes: cases, accents, blanks, another script, and too long a text."""
REFUSALS = (AttributeError, KeyError, RuntimeError, TypeError, ValueError)
"""What a model raises that has no fast tokenizer, no token to fill up with, or no graph."""


class _Tensors(nn.Module):
    """The library's modules one after the other, on tensors in place of texts."""

    def __init__(self, model: SentenceTransformer, *, types: bool) -> None:
        super().__init__()
        self.modules_ = nn.ModuleList(model)
        self.types = types

    def forward(self, token_BL: Tensor, mask_BL: Tensor) -> Tensor:
        features = {"input_ids": token_BL, "attention_mask": mask_BL}
        if self.types:
            features["token_type_ids"] = torch.zeros_like(token_BL)
        for module in self.modules_:
            features = module(features)
        return features["sentence_embedding"]


def export_sentence(model: SentenceTransformer, folder: Path) -> TextNetwork | None:
    """Write a model's graph and tokenizer into a folder.

    Returns:
        The network; None, and no file, where the model cannot be written as one, or the graph gives
        other vectors than the library.

    Raises:
        InputError: The folder cannot be written to.
    """
    paths = folder / NETWORK, folder / TOKENIZER
    logging.disable(logging.WARNING)
    try:
        # A copy, since tracing wants all of it on the CPU and in float32.
        copy = deepcopy(model).to("cpu").float().eval()
        facts = _write(copy, *paths)
        # A graph that was written and cannot be read is the model's fault, not the folder's.
        with suppress(InputError):
            network = TextNetwork(folder, facts)
            found_ME, wanted_ME = network.encode(TEXTS, len(TEXTS)), copy.encode(TEXTS)
            if np.abs(found_ME - wanted_ME).max() <= TOLERANCE * max(1.0, np.abs(wanted_ME).max()):
                return network
    except InputError:  # a ValueError too, and of the folder: no reason to store less
        raise
    except REFUSALS:  # left to the library
        pass
    finally:
        logging.disable(logging.NOTSET)
    for path in paths:
        # A model may be refused before anybody finds out that the folder is a file.
        with suppress(NotADirectoryError):
            path.unlink(missing_ok=True)
    return None


def _write(model: SentenceTransformer, network: Path, tokenizer: Path) -> TextFacts:
    fast = model.tokenizer.backend_tokenizer
    fast.enable_padding(
        pad_id=model.tokenizer.pad_token_id,
        pad_token=model.tokenizer.pad_token,
        direction=model.tokenizer.padding_side,
    )
    fast.no_truncation()
    if model.max_seq_length is not None:
        fast.enable_truncation(int(model.max_seq_length))
    with atomic_path(tokenizer) as temporary:
        fast.save(str(temporary))
    # Of unlike lengths, or the mask would be traced as one that hides nothing.
    encoded = fast.encode_batch(["one", "a longer text than that"])
    tensors = tuple(
        torch.tensor([getattr(one, name) for one in encoded]) for name in ("ids", "attention_mask")
    )
    types = "token_type_ids" in model.tokenizer.model_input_names
    traced = _Tensors(model, types=types).eval()
    with atomic_path(network) as temporary, warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        # The older exporter needs seconds where the newer one needs many.
        torch.onnx.export(
            traced,
            tensors,
            str(temporary),
            dynamo=False,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in INPUTS}
            | {OUTPUT: {0: "texts"}},
        )
        dimension = int(traced(*tensors).shape[1])
    prompt = model.prompts.get(model.default_prompt_name or "") or ""
    lower = bool(getattr(model[0], "do_lower_case", False))
    return TextFacts(lower=lower, prefix=prompt, dimension=dimension)
