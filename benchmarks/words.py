"""When do words find what an embedding blurs? `python -m benchmarks.words` in a finished project.

Queries are the names of all parts of the class tree, level by level, and the titles of test items
with a word or half of their words left out at random. The candidates are the test items, which no
tower was trained on, and the same again with all items. Every way of searching orders all
candidates, none is cut off; intervals are of a bootstrap over the queries, of names level by level.

The weight of the sum is fitted on the validation items, which are then the source of the queries
and the candidates: the greatest of WEIGHTS with which no level's P@1 is below the embedding's own.
The more words count, the better pieces of titles are found; what it may cost is names.

Shape letters: N candidates, Q queries, D embedding.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import torch
import typer

from benchmarks.harness import environment, write_results
from huse import Huse
from pipeline.index.stored_embeddings import read_modality
from pipeline.index.words import WordIndex
from pipeline.metrics.bootstrap import interval_ends, resampled_means
from stages.paths import EMBEDDINGS, INDEX, MODEL

WEIGHTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 4.0)
RANK_OFFSETS = (10, 60)
"""Of reciprocal rank fusion; 60 is that of its authors (Cormack et al. 2009)."""
MOST_TITLES = 1000
CUTOFF = 10


class Query(NamedTuple):
    """A text and what it should find."""

    kind: str
    """level 1, level 2, ..., one word less or half the words."""
    text: str
    right_N: np.ndarray
    """[N] bool."""


class Scene(NamedTuple):
    """Queries, and for each the similarity and the share of its words of all candidates."""

    queries: list[Query]
    similarity: dict[str, np.ndarray]
    """[Q, N] to the items' fused, text and image embeddings."""
    words_QN: np.ndarray


def main(
    model: Annotated[Path, typer.Option(help="Folder of the model.")] = MODEL,
    index: Annotated[Path, typer.Option(help="Folder of the index.")] = INDEX,
    embeddings: Annotated[Path, typer.Option(help="Embeddings of the items.")] = EMBEDDINGS,
    out: Annotated[Path, typer.Option(help="Results, without suffix.")] = Path(
        "benchmarks/results/words_fashion"
    ),
) -> None:
    """Measure every way of searching and write a table."""
    torch.set_num_threads(1)
    huse = Huse.load(model, index)
    vectors = _vectors(embeddings, huse.index.items["item_id"])
    splits = huse.index.items["split"].to_numpy()
    fitted = _fit(_scene(huse, vectors, splits == "val"))
    stored = huse.index.description["words"]["weight"]
    print(f"weight {fitted:g} fits the validation items; the index has {stored:g}")
    rows, counts = [], {}
    own = _own_picture(vectors, np.flatnonzero(splits == "test"))
    for name, chosen_M in (("test items", splits == "test"), ("all items", splits != "")):
        scene = _scene(huse, vectors, chosen_M, titles_of=splits == "test")
        kinds = pd.Series([query.kind for query in scene.queries]).value_counts(sort=False)
        counts[name] = f"{chosen_M.sum()} candidates; queries: " + ", ".join(
            f"{count} {kind}" for kind, count in kinds.items()
        )
        hits = {
            way: _hits(scene.queries, score_QN)
            for way, score_QN in _ways(scene, sorted({fitted, stored}))
        }
        for way, found in hits.items():
            figures = {key: _with_interval(value_Q) for key, value_Q in found.items()}
            rows.append({"way": way, "candidates": name, **figures, **dict.fromkeys(own)})
            if name == "test items" and way == "dense, by picture":
                rows[-1] |= own
        for way, found in hits.items():
            if way.startswith("hybrid, by fused"):
                gains = {
                    key: _with_interval(value_Q - hits["dense, by fused"][key], "+")
                    for key, value_Q in found.items()
                }
                less = {"way": f"{way}, less dense, by fused", "candidates": name}
                rows.append({**less, **gains, **dict.fromkeys(own)})
    for row in rows:
        print(*(value for value in row.values() if value is not None), sep=" | ")
    write_results(
        out,
        title="Words and embeddings",
        notes=[
            f"`python -m benchmarks.words`; figure and 95 % interval over queries; {len(splits)} "
            "items",
            *(f"{name}: {text}" for name, text in counts.items()),
            "level n: the names of the class tree's parts as queries; P@1 and P@10 are shares of "
            "the first 1 and 10 items that are in a part of that level called so, also where fewer "
            "than 10 are. Public figures of other models on this data take other candidates",
            "one word less, half the words: titles of test items; R@1 and R@10: the item itself",
            "own picture: a test item's whole title finds its picture among those of the test "
            "items. Ways that read titles would only look up the title in the list that it is from",
            f"weight of the sum, fitted on validation items alone: {fitted:g}; index.words.weight: "
            f"{stored:g}, as huse search has it (by index.modality: fused)",
            "less dense: difference over the same queries, and its interval",
            "BM25 as in pipeline/index/words.py, words of all items; ranks: reciprocal rank fusion",
        ],
        columns={key: key for key in rows[0]},
        rows=rows,
        environment=environment(),
    )


def _vectors(embeddings: Path, item_ids: pd.Series) -> dict[str, np.ndarray]:
    """[M, D] vectors of the index's M items by modality."""
    found = {}
    for modality in ("fused", "text", "image"):
        frame, vector_MD = read_modality(embeddings, modality)
        rows = pd.Index(frame["item_id"]).get_indexer(item_ids)
        if (rows < 0).any():
            sys.exit(f"{embeddings}: not every item has a {modality} embedding")
        found[modality] = vector_MD[rows]
    return found


def _scene(
    huse: Huse,
    vectors: dict[str, np.ndarray],
    chosen_M: np.ndarray,
    titles_of: np.ndarray | None = None,
) -> Scene:
    """Make queries for the chosen of M items, and compare them with these in every way."""
    items = huse.index.items
    row_N = np.flatnonzero(chosen_M)
    separator = huse.index.description["separator"]
    queries = [
        *_names([path.split(separator) for path in items["class_path"].iloc[row_N]]),
        *_titles(items["text"].tolist(), row_N, chosen_M if titles_of is None else titles_of),
    ]
    texts = [query.text for query in queries]
    words = WordIndex.build(items["text"].tolist())
    vector_QD = huse.embed(texts=texts).text_ND
    return Scene(
        queries,
        {modality: vector_QD @ vector_MD[row_N].T for modality, vector_MD in vectors.items()},
        np.stack([_shares(words, text)[row_N] for text in texts]),
    )


def _shares(words: WordIndex, text: str) -> np.ndarray:
    score_M = words.scores(text)
    return np.zeros(len(words), np.float32) if score_M is None else score_M


def _names(paths: list[list[str]]) -> Iterator[Query]:
    """Every name of every level, once however many parts are called so."""
    for level in range(max(map(len, paths))):
        name_N = np.array([path[level] if len(path) > level else "" for path in paths])
        for name in sorted(set(name_N) - {""}):
            yield Query(f"level {level + 1}", str(name), name_N == name)


def _titles(texts: list[str], row_N: np.ndarray, titles_of: np.ndarray) -> Iterator[Query]:
    """Titles of a random sample of candidates, with a word and with half their words left out."""
    generator = np.random.default_rng(0)
    long = [row for row in row_N if titles_of[row] and len(texts[row].split()) > 1]
    sample = generator.choice(long, min(MOST_TITLES, len(long)), replace=False)
    for kind in ("one word less", "half the words"):
        for row in sample.tolist():
            words = texts[row].split()
            keep = len(words) - 1 if kind == "one word less" else (len(words) + 1) // 2
            kept = sorted(generator.choice(len(words), keep, replace=False))
            yield Query(kind, " ".join(words[n] for n in kept), row_N == row)


def _ways(scene: Scene, weights: list[float]) -> Iterator[tuple[str, np.ndarray]]:
    """Scores [Q, N] of every way of searching, greater is better."""
    yield "words (BM25)", scene.words_QN
    for modality, name in (("text", "text"), ("image", "picture"), ("fused", "fused")):
        yield f"dense, by {name}", scene.similarity[modality]
    for offset in RANK_OFFSETS:
        parts = [_ranks(scene.similarity["fused"]), _ranks(scene.words_QN).astype(float)]
        # Without any word of the query an item is not among the results by words.
        parts[1][scene.words_QN == 0] = np.inf
        yield f"hybrid, ranks {offset}", 1 / (offset + parts[0]) + 1 / (offset + parts[1])
    for modality in ("text", "fused"):
        for weight in weights:
            score_QN = scene.similarity[modality] + weight * scene.words_QN
            yield f"hybrid, by {modality} + {weight:g} words", score_QN


def _ranks(score_QN: np.ndarray) -> np.ndarray:
    rank_QN = np.empty(score_QN.shape, dtype=np.int64)
    order_QN = np.argsort(-score_QN, axis=1, kind="stable")
    np.put_along_axis(rank_QN, order_QN, np.arange(1, score_QN.shape[1] + 1)[None], axis=1)
    return rank_QN


def _hits(queries: list[Query], score_QN: np.ndarray) -> dict[str, np.ndarray]:
    """Per figure, what every query of its kind contributes."""
    top_QK = np.argsort(-score_QN, axis=1, kind="stable")[:, :CUTOFF]
    found: dict[str, list[float]] = {}
    for query, top_K in zip(queries, top_QK, strict=True):
        right_K = query.right_N[top_K]
        letter = "P" if query.kind.startswith("level") else "R"
        last = right_K.mean() if letter == "P" else right_K.any()
        found.setdefault(f"{query.kind} {letter}@1", []).append(float(right_K[0]))
        found.setdefault(f"{query.kind} {letter}@10", []).append(float(last))
    return {key: np.array(values) for key, values in found.items()}


def _with_interval(value_Q: np.ndarray, sign: str = "") -> str:
    drawn_SC = resampled_means(value_Q[:, None], np.arange(len(value_Q)), seed=0)
    low, high = interval_ends(drawn_SC)[0]
    return f"{value_Q.mean():{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def _fit(scene: Scene) -> float:
    """Greatest weight at which names are found first as often as by the embedding alone."""

    def first_right(weight: float) -> np.ndarray:
        hits = _hits(scene.queries, scene.similarity["fused"] + weight * scene.words_QN)
        return np.array([hit_Q.mean() for key, hit_Q in hits.items() if key.endswith("P@1")])

    dense = first_right(0.0)
    harmless = [weight for weight in WEIGHTS if (first_right(weight) >= dense).all()]
    return max(harmless, default=WEIGHTS[0])


def _own_picture(vectors: dict[str, np.ndarray], row_N: np.ndarray) -> dict[str, str]:
    """Figures of titles that look for their own picture among those of the same items."""
    similarity_NN = vectors["text"][row_N] @ vectors["image"][row_N].T
    better_N = (similarity_NN > np.diagonal(similarity_NN)[:, None]).sum(axis=1)
    return {f"own picture R@{k}": _with_interval((better_N < k).astype(float)) for k in (1, CUTOFF)}


if __name__ == "__main__":
    typer.run(main)
