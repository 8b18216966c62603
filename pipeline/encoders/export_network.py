"""A library's text model -> the files of a `TextNetwork`, checked against the library.

Shape letters: B batch, L tokens of the longest, M texts, E features.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from tokenizers import Tokenizer
from torch import nn

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.encoders.text_network import (
    INPUTS,
    NETWORK,
    OUTPUT,
    TOKENIZER,
    WEIGHTS,
    TextFacts,
    TextNetwork,
    padding_of,
)
from pipeline.encoders.token_batches import Tokens, fill_up

TOLERANCE = 1e-5
"""Largest difference from the library that is put down to another order of sums."""
TEXTS = ["sad cat", " Chloé's  long-sleeved, BLACK dress\t(size 38) ", "x", "word " * 1000, "猫"]
"""What the check encodes: cases, accents, blanks, another script, and too long a text."""
EXAMPLES = ["one", "a longer text than that"]
"""Of unlike lengths, or the mask would be traced as one that hides nothing."""
REFUSALS = (AttributeError, KeyError, RuntimeError, TypeError, ValueError)
"""What a model raises that has no fast tokenizer, no token to fill up with, or no graph."""


class NetworkParts(NamedTuple):
    """What a network is written from."""

    graph: nn.Module
    """On the CPU in float32; takes, by the names of its `forward`, some of INPUTS as [B, L] int64,
    and gives [B, E]."""
    inputs: tuple[str, ...]
    """Which of them, in the order of `forward`."""
    tokenizer: Tokenizer
    """Which cuts and fills up as the library does."""
    facts: TextFacts


def export_network(
    folder: Path,
    make_parts: Callable[[], NetworkParts],
    encode_by: Callable[[TextNetwork], np.ndarray],
    wanted: Callable[[], np.ndarray],
) -> TextNetwork | None:
    """Write a model's graph and tokenizer into a folder.

    Args:
        folder: Where to.
        make_parts: Gives what is written.
        encode_by: Encodes TEXTS by the network, as [M, E].
        wanted: Encodes TEXTS by the library, on the CPU in float32.

    Returns:
        The network; None, and no file, where the model cannot be written as one, or the graph gives
        other vectors than the library.

    Raises:
        InputError: The folder cannot be written to.
    """
    paths = folder / TOKENIZER, folder / NETWORK, folder / WEIGHTS
    logging.disable(logging.WARNING)
    try:
        parts = make_parts()
        _write(parts, *paths)
        if _is_right(folder, parts.facts, encode_by, wanted()):
            return TextNetwork(folder, parts.facts)
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


def copy_tokenizer(tokenizer: Any) -> Tokenizer:
    """Copy the fast tokenizer of a transformers tokenizer, which neither cuts nor fills up.

    Raises:
        AttributeError: It has none.
    """
    fast = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    fast.no_truncation()
    fast.no_padding()
    return fast


def fill_up_as(fast: Tokenizer, tokenizer: Any, length: int | None = None) -> None:
    """Have a fast tokenizer fill up texts as its transformers tokenizer does.

    Raises:
        TypeError: There is no token to fill up with.
    """
    fast.enable_padding(
        pad_id=tokenizer.pad_token_id,
        pad_token=tokenizer.pad_token,
        direction=tokenizer.padding_side,
        length=length,
    )


def _write(parts: NetworkParts, tokenizer: Path, network: Path, weights: Path) -> None:
    with atomic_path(tokenizer) as temporary:
        parts.tokenizer.save(str(temporary))
    padding = padding_of(parts.tokenizer.padding)
    parts.tokenizer.no_padding()
    encoded = parts.tokenizer.encode_batch(EXAMPLES)
    texts = [Tokens(np.array(one.ids), np.array(one.special_tokens_mask, bool)) for one in encoded]
    named = dict(zip(INPUTS, fill_up(texts, padding, count_special=False), strict=True))
    with atomic_path(network) as temporary, warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        # The older exporter needs seconds where the newer one needs many.
        torch.onnx.export(
            parts.graph.eval(),
            tuple(torch.from_numpy(named[name]) for name in parts.inputs),
            str(temporary),
            dynamo=False,
            input_names=list(parts.inputs),
            output_names=[OUTPUT],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in parts.inputs}
            | {OUTPUT: {0: "texts"}},
        )
        proto = onnx.load(temporary)
        weights.unlink(missing_ok=True)  # it would be written on
        onnx.save(proto, temporary, save_as_external_data=True, location=weights.name)


def _is_right(
    folder: Path,
    facts: TextFacts,
    encode_by: Callable[[TextNetwork], np.ndarray],
    wanted_ME: np.ndarray,
) -> bool:
    """Whether the files give what the library gives.

    Raises:
        RuntimeError: They cannot be read or run.
    """
    try:
        found_ME = encode_by(TextNetwork(folder, facts))
    # ONNX Runtime's errors have no base class of their own; and what was written and cannot be read
    # is the model's fault, not the folder's.
    except Exception as error:
        raise RuntimeError("the network cannot be run") from error
    limit = TOLERANCE * max(1.0, float(np.abs(wanted_ME).max()))
    return bool(np.abs(found_ME - wanted_ME).max() <= limit)
