"""A warm search of a large catalogue: the index's kinds against a plain numpy product.

    python -m benchmarks.search --items 40000 --rounds 50

All contenders answer the same single query in one process, one after the other in every round; the
table gives the median time and the median of same-round ratios to numpy. With one thread the clock
counts processor seconds, which other programs on the machine hardly disturb.

Shape letters: N items, D embedding, K results.
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial

import faiss
import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from benchmarks.harness import interleave, median_ratio
from pipeline.index.build import build_index, measure_recall
from pipeline.index.catalog_index import SHOWN, CatalogIndex
from pipeline.index.settings import HnswSettings, IvfpqSettings
from pipeline.index.vector_index import VectorIndex

RESULTS = 10
CLASSES = 100
QUERIES = 100


def make_vectors(count: int, dimension: int, seed: int) -> np.ndarray:
    """Noisy points around class centres, of unit norm."""
    centre_KD = np.random.default_rng(0).normal(size=(CLASSES, dimension))
    generator = np.random.default_rng(seed)
    noise_ND = generator.normal(size=(count, dimension))
    vector_ND = centre_KD[generator.integers(CLASSES, size=count)] + 2 * noise_ND
    unit_ND = vector_ND / np.linalg.norm(vector_ND, axis=1, keepdims=True)
    return unit_ND.astype(np.float32)


def make_items(count: int) -> pd.DataFrame:
    """What is shown of every item."""
    number = [str(n) for n in range(count)]
    path = [f"part {n % 10}<class {n % CLASSES}" for n in range(count)]
    columns = [number, number, number, path, ["train"] * count, [0.0] * count, [0.0] * count]
    return pd.DataFrame(dict(zip(SHOWN, columns, strict=True)))


def with_numpy(vector_ND: np.ndarray, query_1D: np.ndarray) -> np.ndarray:
    """A product, then the best by a partial sort."""
    score_N = vector_ND @ query_1D[0]
    best_K = np.argpartition(-score_N, RESULTS)[:RESULTS]
    return best_K[np.argsort(-score_N[best_K])]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", default=["flat", "ivfpq"], help="flat, hnsw, ivfpq")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    faiss.omp_set_num_threads(arguments.threads)
    vector_ND = make_vectors(arguments.items, arguments.dim, 1)
    query_QD = make_vectors(QUERIES, arguments.dim, 2)
    settings = {
        "flat": None,
        "hnsw": HnswSettings(links=32, build_depth=200, search_depth=128),
        "ivfpq": IvfpqSettings(lists=64, probes=16, code_bytes=64),
    }
    frame = make_items(arguments.items)
    description = {"separator": "<"}
    query_1D = query_QD[:1]
    cases: dict[str, Callable[[], object]] = {"numpy": partial(with_numpy, vector_ND, query_1D)}
    recall = {"numpy": 1.0}
    for kind in arguments.kinds:
        built = build_index(vector_ND, settings[kind])
        recall[kind] = measure_recall(built, vector_ND, query_QD)
        index = CatalogIndex(VectorIndex(built), pa.Table.from_pandas(frame), description)
        cases[kind] = partial(index.search, query_1D, RESULTS)
        cases[f"{kind} in a class"] = partial(index.search, query_1D, RESULTS, "part 3")
    seconds = interleave(cases, rounds=arguments.rounds)
    print(f"{'':18} {'ms':>8} {'x numpy':>8} {'recall at 10':>13}")
    for name, values in seconds.items():
        ratio = median_ratio(values, seconds["numpy"])
        share = f"{recall[name]:13.3f}" if name in recall else ""
        print(f"{name:18} {1000 * statistics.median(values):8.2f} {ratio:8.2f} {share}")


if __name__ == "__main__":
    main()
