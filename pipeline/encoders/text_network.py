"""A pretrained text model as ONNX Runtime runs it: it travels with what was made of it.

The libraries that train such models, and torch below them, take seconds to import, which one query
from the shell need not wait for; and a model by its name may be gone, or another one, when it is
needed again.

Shape letters: M texts, B batch, L tokens of the longest, E features.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, NotRequired

import numpy as np
from typing_extensions import TypedDict

from pipeline.core.atomic import atomic_path
from pipeline.core.cores import thread_limit
from pipeline.core.errors import InputError
from pipeline.encoders.text_cleaners import CLEANERS
from pipeline.encoders.token_batches import Padding, TokenBatch, Tokens, run_in_batches

FILE, NETWORK, TOKENIZER = "encoder.json", "network.onnx", "tokenizer.json"
WEIGHTS = "network.weights"
"""In an encoder's folder. The graph takes some of a `TokenBatch`, under the names INPUTS, and gives
[B, E], and finds its weights in the file beside it, which is mapped, so that of the vectors of all
tokens those are read that a text has; the tokenizer says how texts are cut, and how they are filled
up; the first file holds the facts."""
INPUTS, OUTPUT = ("token", "mask", "counted"), "vector"


class _Described(TypedDict, total=False):
    """A `TextFacts`, or what a `PackagedNetwork` says of itself."""

    dimension: int
    clean: str
    lower: bool
    prefix: str
    limit: int | None
    packaged: str
    version: str
    golden: list[float]


class EncoderFile(TypedDict):
    """Content of encoder.json; see docs/model_format.md."""

    settings: dict[str, Any]
    model_digest: str
    network: NotRequired[_Described | None]


@dataclass(frozen=True)
class TextFacts:
    """What is done to a text before it is cut into tokens, and what comes out in the end."""

    dimension: int
    """E."""
    clean: str = "strip"
    """One of CLEANERS."""
    lower: bool = False
    """Whether in lower case."""
    prefix: str = ""
    """What is put in front of every text."""
    limit: int | None = None
    """Most tokens that the graph takes of a text, of which the encoder chooses; None: the tokenizer
    cuts texts that are too long."""

    def __post_init__(self) -> None:
        """Refuse what `TextNetwork` does not know.

        Raises:
            ValueError: There is no such cleaner.
        """
        if self.clean not in CLEANERS:
            raise ValueError(f"unknown cleaner {self.clean!r}")


class PackedNetwork(NamedTuple):
    """A network on its way to another machine."""

    described: dict[str, Any]
    """Its facts."""
    files: dict[str, bytes]
    """Name and content."""


class TextNetwork:
    """Texts -> tokens -> vectors, as the library makes them."""

    def __init__(self, folder: Path, facts: TextFacts) -> None:
        """Read the graph and the tokenizer of an encoder's folder.

        Raises:
            InputError: A file is missing or damaged.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        self.facts = facts
        self._folder = folder
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = thread_limit()
        # Threads that wait for work would take the cores from whatever else runs here.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            self._session = onnxruntime.InferenceSession(
                folder / NETWORK, options, providers=["CPUExecutionProvider"]
            )
        # Neither library's errors have a base class of their own.
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(
                f"{folder}: damaged text model ({reason}); make it again with "
                "dvc repro --force text_block"
            ) from error
        self._asked_for = {one.name for one in self._session.get_inputs()}
        # Filled up by us, since an encoder may choose among the tokens first.
        self._padding = padding_of(self._tokenizer.padding)
        self._tokenizer.no_padding()

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Cut M texts into tokens."""
        facts, clean = self.facts, CLEANERS[self.facts.clean]
        read = [facts.prefix + clean(text) for text in texts]
        if facts.lower:
            read = [text.lower() for text in read]
        return [
            Tokens(np.array(one.ids, np.int64), np.array(one.special_tokens_mask, bool))
            for one in self._tokenizer.encode_batch(read)
        ]

    def vocabulary(self) -> int:
        """How many tokens there are."""
        return int(self._tokenizer.get_vocab_size())

    def run(
        self, tokens: Sequence[Tokens], batch_size: int, *, count_special: bool = True
    ) -> np.ndarray:
        """Run the graph over M texts; see `run_in_batches`."""
        return run_in_batches(
            tokens,
            batch_size,
            self._padding,
            self._run_batch,
            self.facts.dimension,
            count_special=count_special,
        )

    def _run_batch(self, batch: TokenBatch) -> np.ndarray:
        named = zip(INPUTS, batch, strict=True)
        given = {name: array_BL for name, array_BL in named if name in self._asked_for}
        vector_BE: np.ndarray = self._session.run([OUTPUT], given)[0]
        return vector_BE

    def encode(self, texts: Sequence[str], batch_size: int) -> np.ndarray:
        """Encode M texts as [M, E] float32."""
        return self.run(self.tokenize(texts), batch_size)

    def save(self, folder: Path) -> None:
        """Copy the files into a folder.

        Raises:
            InputError: It cannot be written to.
        """
        for path in self._files():
            with atomic_path(folder / path.name) as temporary:
                shutil.copyfile(path, temporary)

    def pack(self) -> PackedNetwork:
        """Make plain data of it, for another machine."""
        return PackedNetwork(
            self.described(), {path.name: path.read_bytes() for path in self._files()}
        )

    def _files(self) -> list[Path]:
        """A network of an earlier version has its weights in the graph's own file."""
        names = (WEIGHTS, NETWORK, TOKENIZER)
        return [path for name in names if (path := self._folder / name).exists()]

    def described(self) -> dict[str, Any]:
        """What `load_text_network` wants to be told."""
        return asdict(self.facts)


def padding_of(described: dict[str, Any] | None) -> Padding:
    """Read what a tokenizer of `tokenizers` says of its padding."""
    if described is None:
        return Padding()
    return Padding(described["pad_id"], described["direction"] == "left", described["length"])


def unpack_text_network(packed: PackedNetwork) -> TextNetwork:
    """Load what `pack` made; it cannot be saved here."""
    with TemporaryDirectory() as folder:
        for name, content in packed.files.items():
            (Path(folder) / name).write_bytes(content)
        return TextNetwork(Path(folder), TextFacts(**packed.described))


def load_text_network(folder: Path, described: Mapping[str, Any] | None) -> TextNetwork | None:
    """Load what an encoder was stored with; None for one that has no network.

    Raises:
        InputError: A file is missing or damaged.
    """
    if described is None:
        return None
    try:
        facts = TextFacts(**described)
    except (TypeError, ValueError) as error:
        raise InputError(f"{folder}: not the facts of a text model; make it again") from error
    return TextNetwork(folder, facts)
