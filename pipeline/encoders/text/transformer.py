"""Hidden states of a Hugging Face encoder, averaged over a text's tokens (HUSE section 2: BERT).

Shape letters: M texts, B batch, L tokens of a text, P tokens kept, V token vocabulary, E features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.encoders.find_model import locate_model, one_line, quiet_off_terminal
from pipeline.encoders.model_digest import model_digest, weights_digest
from pipeline.encoders.pretrained import PretrainedEncoder, PretrainedSettings
from pipeline.encoders.text_network import INPUTS, TextFacts, TextNetwork
from pipeline.encoders.token_batches import Padding, TokenBatch, Tokens, run_in_batches
from pipeline.encoders.token_choice import choose_tokens, token_idf
from pipeline.encoders.word_tensors import load_tensors, save_tensors

if TYPE_CHECKING:
    from pipeline.encoders.export_network import NetworkParts
    from pipeline.encoders.graphs import HiddenMeans

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
    LIBRARY = "transformers"
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
        commit = getattr(self._model.config, "_commit_hash", None) or ""
        return model_digest(weights_digest(self._model), place, commit)

    @classmethod
    def fit(
        cls, texts: Sequence[str], train_texts: Sequence[str], settings: Settings, cache: Path
    ) -> Self:
        """See `TextEncoder.fit`; what is fitted is how rare each token is."""
        encoder = cls.open(settings, cache)
        if settings.keep == "salient":
            tokens = encoder._tokenize(train_texts)
            encoder._idf_V = token_idf((text.number_L for text in tokens), encoder._vocabulary())
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
        import torch

        graph = self._graph()

        def run(batch: TokenBatch) -> np.ndarray:
            given = [torch.from_numpy(array_BL).to(self._device) for array_BL in batch]
            with torch.inference_mode(), self._autocast():
                vector_BE: np.ndarray = graph(*given).cpu().numpy()
            return vector_BE

        return run_in_batches(
            self._choose(texts),
            self.settings.batch_size,
            self._padding(),
            run,
            self._dimension(),
            count_special=self.settings.special_tokens,
        )

    def _run_network(self, texts: list[str]) -> np.ndarray:
        assert isinstance(self.network, TextNetwork)
        return self.network.run(
            self._choose(texts),
            self.settings.batch_size,
            count_special=self.settings.special_tokens,
        )

    def _graph(self) -> HiddenMeans:
        from pipeline.encoders.graphs import HiddenMeans

        concat = self.settings.combine == "concat"
        return HiddenMeans(self._model, self.settings.layers, concat=concat)

    def _padding(self) -> Padding:
        """Behind a text, whatever its tokenizer does: what is put there is hidden."""
        return Padding(self._tokenizer.pad_token_id or 0)

    def _dimension(self) -> int:
        hidden = int(self._model.config.hidden_size)
        return hidden * (self.settings.layers if self.settings.combine == "concat" else 1)

    def _parts(self) -> NetworkParts:
        from pipeline.encoders.export_network import NetworkParts, copy_tokenizer

        fast = copy_tokenizer(self._tokenizer)
        fast.enable_padding(pad_id=self._padding().number)
        facts = TextFacts(dimension=self._dimension(), clean="none", limit=self._limit())
        return NetworkParts(self._graph(), INPUTS, fast, facts)

    def save(self, folder: Path) -> None:
        """Write `encoder.json` and, if fitted, `idf.safetensors`."""
        super().save(folder)
        if self._idf_V is not None:
            save_tensors(folder / "idf.safetensors", {"idf": self._idf_V})

    def _load_fitted(self, folder: Path) -> None:
        if self.settings.keep == "salient":
            self._idf_V = load_tensors(folder / "idf.safetensors", ["idf"])["idf"]

    def _limit(self) -> int:
        """Most tokens of a text that the model takes."""
        if isinstance(self.network, TextNetwork) and self.network.facts.limit is not None:
            return self.network.facts.limit
        limit = int(self._tokenizer.model_max_length)
        return limit if limit < UNLIMITED else int(self._model.config.max_position_embeddings)

    def _choose(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens that are kept of each text."""
        salient = self.settings.keep == "salient"
        most = min(self.settings.max_tokens, self._limit())
        chosen = []
        for ids_L, special_L in self._tokenize(texts):
            kept_P = choose_tokens(ids_L, special_L, most, self._idf_V, salient=salient)
            chosen.append(Tokens(ids_L[kept_P], special_L[kept_P]))
        return chosen

    def _tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """All tokens of each text."""
        if isinstance(self.network, TextNetwork):
            return self.network.tokenize(texts)
        if not texts:
            return []
        # Not verbose: a warning for every text over the limit, which is what the choice is for.
        found = self._tokenizer(
            list(texts), return_special_tokens_mask=True, return_attention_mask=False, verbose=False
        )
        return [
            Tokens(np.asarray(ids, dtype=np.int64), np.asarray(special, dtype=bool))
            for ids, special in zip(found["input_ids"], found["special_tokens_mask"], strict=True)
        ]

    def _vocabulary(self) -> int:
        """V, how many tokens there are."""
        if isinstance(self.network, TextNetwork):
            return self.network.vocabulary()
        return len(self._tokenizer)
