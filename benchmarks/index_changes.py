"""Adding to a large index, removing from it, and searching it afterwards.

    python -m benchmarks.index_changes --items 1000000

Vectors are random and nothing is embedded: what is timed of `huse index add` is all that it does
besides. In the same round FAISS reads its file, takes the same vectors and writes the file again.

Shape letters: N items, A added items, D embedding.
"""

import argparse
import shutil
import statistics
import tempfile
from functools import partial
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa

from benchmarks.harness import interleave, median_ratio
from benchmarks.search import make_items, make_vectors
from pipeline.core.json_file import write_json
from pipeline.index.build import build_index
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.changes import BASE, changes_folder, changing
from pipeline.index.hybrid import Mode
from pipeline.index.settings import HnswSettings, IvfpqSettings
from pipeline.index.stored_index import load_index, save_index
from pipeline.index.vector_index import VectorIndex
from pipeline.index.words import WordIndex
from pipeline.use.index_changes import put_items, read_state, remove_items
from pipeline.use.index_items import IndexItems

SETTINGS = {
    "flat": None,
    "hnsw": HnswSettings(links=32, build_depth=200, search_depth=128),
    "ivfpq": IvfpqSettings(lists=64, probes=16, code_bytes=64),
}
WORDS = 20_000
PIECE = 100_000
RESULTS = 10
MODES: tuple[Mode, ...] = ("dense", "hybrid")


def make_index(folder: Path, model: Path, vector_ND: np.ndarray, kind: str) -> None:
    """Write an index of vectors, with titles of words that are rare and usual ones."""
    frame = make_items(len(vector_ND))
    rank_NW = np.random.default_rng(3).zipf(1.3, (len(frame), 6)) % WORDS
    frame["text"] = [" ".join(f"w{rank}" for rank in ranks) for ranks in rank_NW.tolist()]
    words = WordIndex.build(frame["text"].tolist())
    description = {"modality": "fused", "separator": "<", "near": {}}
    description["words"] = {"mode": "hybrid", "weight": 0.2}
    vectors = VectorIndex(build_index(vector_ND, SETTINGS[kind]))
    index = CatalogIndex(vectors, pa.Table.from_pandas(frame), description, words)
    save_index(index, folder, model=model)


def new_items(vector_AD: np.ndarray, start: int, base: str) -> IndexItems:
    """Items as `make_items` of `pipeline.use.index_items` gives them."""
    items = [
        {"item_id": f"new {n}", "image": "", "text": f"new w{n}", "class_path": "own", BASE: base}
        for n in range(start, start + len(vector_AD))
    ]
    return IndexItems(list(range(len(items))), items, list(vector_AD))


def add(folder: Path, model: Path, vector_AD: np.ndarray, start: list[int]) -> None:
    """What `huse index add` does beside embedding."""
    with changing(folder):
        state = read_state(folder, model, None)
        items = new_items(vector_AD, start[0], state.kind.base)
        put_items(state, items, replacing=False, reject=lambda rows: None)
    start[0] += len(vector_AD)


def remove(folder: Path, model: Path, count: int, start: list[int]) -> None:
    """What `huse index remove` does."""
    with changing(folder):
        state = read_state(folder, model, None)
        remove_items(state, [str(n) for n in range(start[0], start[0] + count)])
    start[0] += count


def add_by_faiss(folder: Path, vector_AD: np.ndarray) -> None:
    """The file itself, without what is shown of the items."""
    index = faiss.read_index(str(folder / "index.faiss"))
    index.add(vector_AD)
    faiss.write_index(index, str(folder / "other.faiss"))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--added", type=int, default=1000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kind", choices=list(SETTINGS), default="flat")
    arguments = parser.parse_args()
    pieces = range(0, arguments.items, PIECE)
    vector_ND = np.empty((arguments.items, arguments.dim), np.float32)
    for piece in pieces:
        part = vector_ND[piece : piece + PIECE]
        part[:] = make_vectors(len(part), arguments.dim, piece + 1)
    vector_AD = make_vectors(arguments.added, arguments.dim, 2)
    with tempfile.TemporaryDirectory() as name:
        folder, model = Path(name) / "index", Path(name) / "model"
        described = {"weights_digest": "3f", "config": {"dim": arguments.dim}, "recipe": {}}
        write_json(model / "model.json", described)
        make_index(folder, model, vector_ND, arguments.kind)
        del vector_ND
        plain = load_index(folder, model=model)
        added, removed = [0], [0]
        print(f"{arguments.items} items, {arguments.kind}, {arguments.added} at a time")
        seconds = interleave(
            {
                "faiss reads, adds, writes": partial(add_by_faiss, folder, vector_AD),
                "huse index add, without embedding": partial(add, folder, model, vector_AD, added),
                "huse index remove": partial(remove, folder, model, arguments.added, removed),
                "load, without changes": partial(load_made, folder, model),
                "load, with changes": partial(load_index, folder, model=model),
            },
            rounds=arguments.rounds,
        )
        report(seconds, "faiss reads, adds, writes")
        changed = load_index(folder, model=model)
        print(f"searched with {added[0]} added and {removed[0]} removed")
        search = {
            f"{mode}, {which}": partial(
                index.search, vector_AD[:1], RESULTS, texts=["w7 w300"], mode=mode
            )
            for mode in MODES
            for which, index in (("as made", plain), ("with changes", changed))
        }
        report(interleave(search, rounds=10 * arguments.rounds), "dense, as made")


def load_made(folder: Path, model: Path) -> CatalogIndex:
    """Load the index as it was made."""
    aside = changes_folder(folder).with_name("aside")
    if changes_folder(folder).exists():
        shutil.move(changes_folder(folder), aside)
    try:
        return load_index(folder, model=model)
    finally:
        if aside.exists():
            shutil.move(aside, changes_folder(folder))


def report(seconds: dict[str, list[float]], reference: str) -> None:
    """Print medians, and medians of same-round ratios to one of the contenders."""
    print(f"{'':36} {'s':>9} {'x':>7}")
    for name, values in seconds.items():
        ratio = median_ratio(values, seconds[reference])
        print(f"{name:36} {statistics.median(values):9.4f} {ratio:7.3f}")


if __name__ == "__main__":
    main()
