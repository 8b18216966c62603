"""The sentence encoder of InferSent: a bidirectional LSTM, the maximum over time.

Conneau et al. 2017, arXiv:1705.02364.

Shape letters: N sentences, L words of a sentence, E word vector, B sentences of one length.
"""

import pickle
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pipeline.core.errors import InputError

PREFIX = "enc_lstm."
"""Of the weights' names in the published files."""
SENTENCES_PER_BATCH = 128


class BilstmMax:
    """A trained encoder."""

    def __init__(self, lstm: nn.LSTM) -> None:
        """Wrap a network of one layer in both directions."""
        self._lstm = lstm.eval()

    @property
    def word_dimension(self) -> int:
        """E, length of the word vectors it was trained with."""
        return self._lstm.input_size

    @classmethod
    def load(cls, path: Path) -> "BilstmMax":
        """Read published weights; the sizes follow from them.

        Args:
            path: A state dict as torch.save wrote it (nothing else in it is unpickled), or a
                `.safetensors` file.

        Raises:
            InputError: The file is missing, damaged, or holds other weights.
        """
        weights = {
            name.removeprefix(PREFIX): tensor.float()
            for name, tensor in _read_weights(path).items()
            if name.startswith(PREFIX)
        }
        try:
            gates, word_dimension = weights["weight_ih_l0"].shape
            lstm = nn.LSTM(word_dimension, gates // 4, bidirectional=True)
            lstm.load_state_dict(weights)
        except (KeyError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"{path}: not the weights of an InferSent encoder ({reason}); graph.infersent."
                "weights has to name its state dict, for example infersent2.pkl"
            ) from error
        return cls(lstm)

    def encode(self, sentences: Sequence[np.ndarray]) -> np.ndarray:
        """Encode sentences; sentences of one length run together, so that nothing is padded.

        The published program runs sentences of different lengths together. Its version 1 then
        takes the maximum with the zeros behind a shorter sentence, so that a vector depends on
        the others of the batch; version 2 does not. Both are the same as here if a batch has one
        sentence.

        Args:
            sentences: N arrays [L, E] of word vectors, L >= 1.

        Returns:
            [N, 2 x units] float32.
        """
        rows_of_length: dict[int, list[int]] = defaultdict(list)
        for row, sentence in enumerate(sentences):
            rows_of_length[len(sentence)].append(row)
        vectors = np.empty((len(sentences), 2 * self._lstm.hidden_size), dtype=np.float32)
        with torch.inference_mode():
            for rows in rows_of_length.values():
                for start in range(0, len(rows), SENTENCES_PER_BATCH):
                    batch = rows[start : start + SENTENCES_PER_BATCH]
                    word_LBE = np.stack([sentences[row] for row in batch], axis=1)
                    output, _ = self._lstm(torch.from_numpy(word_LBE.astype(np.float32)))
                    vectors[batch] = output.amax(dim=0).numpy()
        return vectors


def _read_weights(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(
            f"graph.infersent.weights: {path} not found; download the weights that InferSent "
            "publishes and name the file"
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, SafetensorError, RuntimeError, EOFError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: not a readable file of weights ({reason}); get it again"
        ) from error
    if not isinstance(weights, dict):
        raise InputError(f"{path}: holds {type(weights).__name__}, not a state dict of weights")
    return weights
