"""Kinds of index on embeddings of real pictures and titles: `python -m benchmarks.index_kinds`.

A finished project has tens of thousands of items at most. More are made of it as a shop has them:
the picture of one item with the title of another of its class. Of test items nothing is indexed,
their pictures and titles are the queries.

Shape letters: N items, M items of the project, Q queries, D embedding.
"""

import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import faiss
import numpy as np
import torch
import typer

from benchmarks.harness import environment, write_results
from pipeline.core.json_file import read_json, write_json
from pipeline.core.params import load_section
from pipeline.index.build import build_index, measure_recall
from pipeline.index.settings import IndexSettings, IvfpqSettings
from pipeline.index.stored_embeddings import choose_queries, read_modality
from pipeline.index.vector_index import VectorIndex
from pipeline.model.embed import fuse
from stages.command import run
from stages.paths import EMBEDDINGS, PARAMS

RESULTS = Path("benchmarks/results/index_kinds")
SIZES = (10_000, 100_000, 1_000_000)
SEARCHES = 200
"""Single searches that are timed."""
KINDS = ("flat", "hnsw", "ivfpq", "ivfpq, fewer bytes")


def pair_anew(image_MD: np.ndarray, text_MD: np.ndarray, path_M: np.ndarray, n: int) -> np.ndarray:
    """Fused embeddings of pictures with titles of their class, all pairs different.

    The first M are the items as they are, then each picture goes with the title that is one further
    in its class, and so on.

    Args:
        image_MD: Of M items, unit norm.
        text_MD: Of the same.
        path_M: Their class paths.
        n: Pairs wanted.

    Returns:
        [N, D] float32 of unit norm; N is less than `n` where there are no more pairs.
    """
    order_M = np.argsort(path_M, kind="stable")
    _, first_K, count_K = np.unique(path_M[order_M], return_index=True, return_counts=True)
    first_M, count_M = np.repeat(first_K, count_K), np.repeat(count_K, count_K)
    place_M = np.arange(len(order_M)) - first_M
    vectors: list[torch.Tensor] = []
    found, step = 0, 0
    while found < n and (has_M := step < count_M).any():
        text = order_M[(first_M + (place_M + step) % count_M)[has_M]]
        image_BD, text_BD = (
            torch.from_numpy(vector_MD[chosen[: n - found]])
            for vector_MD, chosen in ((image_MD, order_M[has_M]), (text_MD, text))
        )
        vectors.append(fuse(image_BD, text_BD))
        found, step = found + len(text_BD), step + 1
    return torch.cat(vectors).numpy()


def settings_of(kind: str, size: int, shipped: IndexSettings) -> Any:
    """Shipped settings, with as many lists as docs and params.yaml advise."""
    if kind == "flat":
        return None
    if kind == "hnsw":
        return shipped.hnsw
    lists = 2 ** round(np.log2(size) / 2)
    code_bytes = shipped.ivfpq.code_bytes // (4 if kind.endswith("bytes") else 1)
    return IvfpqSettings(lists=lists, probes=shipped.ivfpq.probes, code_bytes=code_bytes)


def main(
    project: Annotated[Path, typer.Option(help="A finished project; the largest there is.")],
    items: Annotated[list[int] | None, typer.Option(help=f"Sizes; {SIZES} if not given.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=f"Of {KINDS}; all if not given.")] = None,
    params: Annotated[Path, typer.Option(help="The parameters to measure.")] = PARAMS,
    measured: Annotated[Path, typer.Option(help="What was measured before.")] = Path(
        "data/index_kinds.json"
    ),
) -> None:
    """Build every kind of index at every size, and measure what it finds and how fast."""
    if unknown := set(kind or ()) - set(KINDS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: not of {', '.join(KINDS)}")
    shipped = load_section(params, "index", IndexSettings)
    queries = project / EMBEDDINGS
    image, image_MD = read_modality(queries, "image")
    text, text_MD = read_modality(queries, "text")
    assert image["item_id"].equals(text["item_id"]), "every item has a picture and a title"
    known = (image["split"] != "test").to_numpy()
    path_M = image["class_path"].to_numpy(dtype=object)[known]
    query_QD = choose_queries(queries)
    rows: dict[str, dict[str, Any]] = read_json(measured) if measured.exists() else {}
    for size in items or SIZES:
        vector_ND = pair_anew(image_MD[known], text_MD[known], path_M, size)
        for name in kind or KINDS:
            row = _measure(name, settings_of(name, size, shipped), vector_ND, query_QD)
            rows[f"{size} {name}"] = {"items": f"{len(vector_ND):,}", "kind": name} | row
            write_json(measured, rows)
            typer.echo(rows[f"{size} {name}"])
    write_results(
        RESULTS,
        title="Kinds of index on embeddings of real pictures and titles",
        notes=[
            f"`python -m benchmarks.index_kinds`: {known.sum():,} items of a finished project, "
            "their pictures and titles paired anew within their classes",
            f"queries: pictures and titles of test items, {len(query_QD)} together; recall: share "
            "of the ten truly nearest that are found",
            "settings as shipped; lists: the power of two next to the square root of the items",
            f"a search: one query, ten results, one thread; median of at most {SEARCHES}",
        ],
        columns={
            "items": "items",
            "kind": "kind",
            "settings": "settings",
            "recall": "recall at 10",
            "milliseconds": "a search, ms",
            "build": "built in, CPU s",
            "bytes": "bytes an item",
        },
        rows=[
            rows[key]
            for key in sorted(rows, key=lambda key: (int(key.split()[0]), key.split(maxsplit=1)[1]))
        ],
        environment=environment(),
    )


def _measure(
    kind: str, settings: Any, vector_ND: np.ndarray, query_QD: np.ndarray
) -> dict[str, Any]:
    # One thread builds; a neighbour takes its time and not its processor seconds.
    start = time.process_time()
    index = build_index(vector_ND, settings)
    build = time.process_time() - start
    recall = 1.0 if kind == "flat" else measure_recall(index, vector_ND, query_QD)
    searched, threads = VectorIndex(index), faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    seconds = []
    for query_D in query_QD[:: -(-len(query_QD) // SEARCHES)]:
        start = time.perf_counter()
        searched.nearest(query_D[None], 10)
        seconds.append(time.perf_counter() - start)
    faiss.omp_set_num_threads(threads)
    return {
        "settings": "" if settings is None else str(settings),
        "recall": recall,
        "milliseconds": 1000 * statistics.median(seconds),
        "build": build,
        "bytes": round(len(faiss.serialize_index(index)) / len(vector_ND)),
    }


if __name__ == "__main__":
    run(main)
