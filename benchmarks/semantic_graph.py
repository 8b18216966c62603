"""The semantic graph against encoding both classes of every pair again, as notebook B does.

    python -m benchmarks.semantic_graph
    python -m benchmarks.semantic_graph --catalog catalog.csv --column classes

Ours is all a user waits for: load the vectors or the model, encode each text once, all distances.
The loop gets the vectors or the model loaded and encodes, for each pair of classes, the parts of
both paths. It is timed on a few pairs and multiplied: 271 classes are 36,585 pairs. Without a
catalogue the class paths are made up: 5 departments of 20 kinds of things of 50 qualities each.

Shape letters: K classes, E class-name embedding.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.harness import environment, interleave, median_ratio, peak_extra_mib, write_results
from pipeline.core.params import load_section
from pipeline.semantic_graph.adjacency import class_adjacency
from pipeline.semantic_graph.class_embeddings import embed_classes
from pipeline.semantic_graph.class_texts import Of
from pipeline.semantic_graph.settings import GraphSettings
from pipeline.semantic_graph.text_encoder import HOW

KINDS = """
shoes boots shirts coats dresses skirts hats bags belts scarves gloves socks jackets jeans sweaters
suits rings watches glasses towels
"""
QUALITIES = """
red green blue black white grey brown pink purple yellow orange gold silver cotton wool silk linen
leather denim velvet cashmere nylon rubber wood metal glass long short large small thin thick soft
warm cool light heavy formal casual summer winter evening vintage modern classic printed striped
plain knitted woven
"""
DEPARTMENTS = ("women", "men", "kids", "home", "sport")
ENCODERS = ("glove", "sentence", "path")
SETTINGS = load_section(Path("params.yaml"), "graph", GraphSettings)
"""Of each encoder as shipped."""

Paths = Sequence[Sequence[str]]


def class_paths(count: int, catalog: Path | None, column: str) -> Paths:
    """Class paths of a catalogue, or made up; spread over all of them."""
    if catalog is None:
        paths: Paths = [
            list(parts) for parts in product(DEPARTMENTS, KINDS.split(), QUALITIES.split())
        ]
    else:
        names = sorted(pd.read_csv(catalog)[column].dropna().unique())
        paths = [name.split("<") for name in names]
    chosen = np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)
    return [paths[position] for position in chosen]


def our_graph(encoder: str, of: Of, paths: Paths) -> Callable[[], np.ndarray]:
    """Everything from names to distances, loading included; of a network the one kept before."""
    cache = Path(tempfile.gettempdir()) / "semantic_graph_networks"

    def run() -> np.ndarray:
        settings = SETTINGS.model_copy(update={"encoder": encoder})
        found = embed_classes(paths, of, settings, cache)
        return class_adjacency(found.embedding_KE)

    return run


def loop_over_pairs(encoder: str, paths: Paths, pairs: int) -> Callable[[], list[float]]:
    """Notebook B's way for some pairs: encode the parts of both, take the means, the cosine."""
    encode = text_encoder(encoder, paths)
    every = [(i, j) for i in range(len(paths)) for j in range(i)]
    chosen = [every[n] for n in np.linspace(0, len(every) - 1, pairs).astype(int)]

    def run() -> list[float]:
        distances = []
        for i, j in chosen:
            u = np.mean([encode([part])[0] for part in paths[i]], axis=0)
            v = np.mean([encode([part])[0] for part in paths[j]], axis=0)
            distances.append(1 - float(u @ v) / float(np.linalg.norm(u) * np.linalg.norm(v)))
        return distances

    return run


def text_encoder(encoder: str, paths: Paths) -> Callable[[list[str]], np.ndarray]:
    """The encoder that the loop calls, loaded."""
    if encoder == "glove":
        from pipeline.encoders.word_vectors import load_word_vectors
        from pipeline.semantic_graph.encoders.glove import text_words

        words = {word for path in paths for part in path for word in text_words(part)}
        vectors = load_word_vectors(SETTINGS.glove.vectors, words)

        def encode(texts: list[str]) -> np.ndarray:
            known = [[word for word in text_words(text) if word in vectors] for text in texts]
            return np.stack(
                [vectors[w].mean(axis=0) if w else np.zeros(vectors.vector_size) for w in known]
            )

        return encode
    if encoder == "sentence":
        from pipeline.encoders.text.sentence import Encoder, Settings

        how = HOW | {"device": "cpu", "model": SETTINGS.sentence.model}
        return Encoder(Settings.model_validate(how)).encode
    raise ValueError(f"there is no loop over pairs for the encoder {encoder!r}")


def measure(encoder: str, of: Of, paths: Paths, pairs: int, rounds: int) -> dict[str, Any]:
    """One row of the table; without pairs ours alone, once."""
    count = len(paths)
    ours = our_graph(encoder, of, paths)
    cases: dict[str, Callable[[], object]] = {"ours": ours}
    if pairs:
        loop = loop_over_pairs(encoder, paths, pairs)
        cases["loop"] = loop
    seconds = interleave(cases, rounds=rounds)
    factor = count * (count - 1) / 2 / pairs if pairs else 0.0
    row: dict[str, Any] = {
        "encoder": encoder,
        "of": of,
        "classes": count,
        "seconds": statistics.median(seconds["ours"]),
        "loop_seconds": None,
        "ratio": None,
        "peak_mib": peak_extra_mib(our_graph, encoder, of, paths),
        "all_seconds": seconds,
    }
    if pairs:
        row["loop_seconds"] = statistics.median(seconds["loop"]) * factor
        row["ratio"] = median_ratio(seconds["loop"], seconds["ours"]) * factor
    return row


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classes", type=int, default=271)
    parser.add_argument("--many", type=int, default=5000, help="once more, ours alone; 0 for none")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS))
    parser.add_argument("--catalog", type=Path, help="CSV file with class paths joined by <")
    parser.add_argument("--column", default="classes")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    setting = environment()
    paths = partial(class_paths, catalog=options.catalog, column=options.column)
    rows = []
    for encoder in options.encoders:
        pairs = 0 if encoder == "path" else options.pairs
        rows.append(measure(encoder, "parts_mean", paths(options.classes), pairs, options.rounds))
        print({key: value for key, value in rows[-1].items() if key != "all_seconds"}, flush=True)
        if options.many:
            many = class_paths(options.many, None, "")
            readings: list[Of] = ["parts_mean"] if encoder == "path" else ["parts_mean", "path"]
            for of in readings:
                rows.append(measure(encoder, of, many, 0, 1))
                print({k: v for k, v in rows[-1].items() if k != "all_seconds"}, flush=True)
    write_results(
        options.out / f"semantic_graph_cpu_{options.threads}_threads",
        title="Semantic graph against encoding every pair again",
        notes=[
            f"class paths: {options.catalog.name if options.catalog else 'made up'}; ours includes "
            "loading the vectors or the model, the loop does not",
            f"loop: timed on {options.pairs} pairs and multiplied by the number of all pairs, "
            f"{options.rounds} interleaved rounds; the ratio is the median of same-round ratios",
            "peak memory: beyond what is in use before, in a fresh process",
            f"{setting['cpu']}, {setting['threads']} threads, load average at the start "
            f"{setting['load_average'][0]}",
        ],
        columns={
            "encoder": "encoder",
            "of": "graph.of",
            "classes": "classes",
            "seconds": "ours, s",
            "loop_seconds": "loop over pairs, s (extrapolated)",
            "ratio": "times faster",
            "peak_mib": "peak MiB",
        },
        rows=rows,
        environment=setting,
    )


if __name__ == "__main__":
    main()
