"""How often is the node of another tree right that `huse map` proposes? `python -m benchmarks.map`.

The other tree is Google's product taxonomy, a file of the user's. benchmarks/map_gold/ says which
of its nodes are right for the classes of two catalogues, one or more for each class: written by
hand from the list of Google's names, before any proposal was seen. The ways and their weights were
then chosen with the figures of both catalogues in sight; the temperature on the fashion products.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from math import log
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
import typer

from benchmarks.harness import environment, write_results
from huse import Huse
from pipeline.core.block import Block
from pipeline.metrics.bootstrap import interval_ends, resampled_means
from pipeline.use.class_mapping import Weights, map_classes
from pipeline.use.featurizer import TextFeaturizer
from pipeline.use.own_tree import Encode, OwnTree
from pipeline.use.taxonomy_file import Parts, Taxonomy, read_taxonomy
from stages.paths import MODEL

GOLD = Path(__file__).parent / "map_gold"
SEPARATOR = "<"
TITLES = 20
"""Of each class, drawn at random; `huse map` takes the stored features of all."""
SURE = 0.8
ALONE = 1e6
"""Weight beside which the others are nothing."""
NAMES_AND_PATHS = Weights(items=0, above=0)
WAYS = {
    "last parts": Weights(path=0, items=0, above=0),
    "whole paths": Weights(leaf=0, items=0, above=0),
    "names: last parts and paths": NAMES_AND_PATHS,
    "titles": Weights(items=ALONE, above=0),
    "names and titles": Weights(above=0),
    "names, with the node above": Weights(items=0),
    "names and titles, with the node above": Weights(),
}
WORD = re.compile(r"\w+")


def main(
    taxonomy: Annotated[Path, typer.Option(help="Google's taxonomy-with-ids.en-US.txt.")],
    fashion: Annotated[Path, typer.Option(help="Table of the fashion products.")],
    net_a_porter: Annotated[Path, typer.Option(help="Table of Net-a-Porter's products.")],
    model: Annotated[Path, typer.Option(help="Model of the fashion products.")] = MODEL,
    out: Annotated[Path, typer.Option(help="Results, without suffix.")] = Path(
        "benchmarks/results/map"
    ),
) -> None:
    """Measure every way on both catalogues and write a table."""
    torch.set_num_threads(1)
    other = read_taxonomy(taxonomy, SEPARATOR)
    featurizer = TextFeaturizer.load(model / "text_encoder")
    huse = Huse.load(model)
    sentence = _remembered(lambda texts: featurizer.encode_block("sentence", texts))
    rows, notes = [], []
    tables = {"fashion_products": fashion, "net_a_porter": net_a_porter}
    for name, table in tables.items():
        items = pd.read_csv(table, dtype="str", keep_default_na=False)
        gold = _read_gold(name, other)
        nodes = len(_tree(items, sentence).nodes)
        notes.append(f"{name}: {len(gold)} of {nodes} nodes have an answer in map_gold")
        found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
            way: _proposals(items, other, sentence, w, gold) for way, w in WAYS.items()
        }
        found["words (overlap of paths and last parts)"] = _by_words(other, gold)
        if name == "fashion_products":  # whose model it is
            for what, encode in (
                ("GloVe", lambda texts: featurizer.encode_block("glove", texts)),
                ("text tower", lambda texts: huse.embed(texts=list(texts)).text_ND),
            ):
                found[f"{what}: all of it"] = _proposals(
                    items, other, _remembered(encode), Weights(), gold
                )
        names_M = found["names: last parts and paths"][0]
        for way, (hit_M2, confidence_M) in found.items():
            row: dict[str, Any] = {"catalogue": name, "way": way}
            for column, key in enumerate(("@1", "@5")):
                row[key] = _interval(hit_M2[:, column])
                row[f"{key} less names'"] = _interval(hit_M2[:, column] - names_M[:, column], "+")
            row |= {"confidence": None, "sure": None, "right if sure": None}
            if confidence_M is not None:
                sure_M = confidence_M >= SURE
                row["confidence"] = f"{confidence_M.mean():.2f}"
                row["sure"] = f"{sure_M.mean():.2f}"
                row["right if sure"] = f"{hit_M2[sure_M, 0].mean():.2f}" if sure_M.any() else None
            rows.append(row)
            print(*(value for value in row.values() if value is not None), sep=" | ")
    write_results(
        out,
        title="Own classes in Google's product taxonomy",
        notes=[
            f"`python -m benchmarks.map`; {len(other.paths)} nodes of {taxonomy.name}; share of "
            "classes whose first proposal, or one of the first five, is right; 95 % interval over "
            "classes",
            *notes,
            f"titles: {TITLES} of each class at most, inner nodes by the number of their items",
            "names and titles, with the node above: what `huse map` does. The way and its weights "
            "were chosen with the figures of both catalogues in sight: a third may fare a little "
            "worse",
            f"confidence: its mean; sure: share of classes with {SURE:g} or more; right if sure: "
            "share of these whose first proposal is right",
            "the encoder is `sentence` of params.yaml where no other is named; GloVe knows the "
            "words of the catalogue alone",
        ],
        columns={key: key for key in rows[0]},
        rows=rows,
        environment=environment(),
    )


def _read_gold(name: str, other: Taxonomy) -> dict[Parts, set[int]]:
    """Numbers of the right nodes by own node."""
    place = {" > ".join(path): j for j, path in enumerate(other.paths)}
    gold: dict[Parts, set[int]] = defaultdict(set)
    for own, path in pd.read_csv(GOLD / f"{name}.csv").itertuples(index=False):
        gold[tuple(own.split(SEPARATOR))].add(place[path])
    return dict(gold)


def _remembered(encode: Encode) -> Encode:
    """Encode every list of texts once."""
    known: dict[tuple[str, ...], Block] = {}

    def look_up(texts: Sequence[str]) -> Block:
        key = tuple(texts)
        if key not in known:
            known[key] = encode(key)
        return known[key]

    return look_up


def _tree(items: pd.DataFrame, encode: Encode) -> OwnTree:
    """The tree of all items with titles of some, each standing for its class's others."""
    drawn = items.drop_duplicates(["classes", "text"]).sample(frac=1, random_state=0)
    drawn = drawn[drawn["text"].str.strip() != ""]
    drawn = drawn[drawn.groupby("classes").cumcount() < TITLES]
    feature_NF = encode(drawn["text"].tolist())
    drawn = drawn.assign(row=np.arange(len(drawn)))
    paths = [tuple(path.split(SEPARATOR)) for path in items["classes"]]
    by_class = {str(path): part for path, part in drawn.groupby("classes")}

    def pieces() -> Iterator[tuple[np.ndarray, Block]]:
        for path, where in items.groupby("classes").groups.items():
            if str(path) in by_class:
                mean_1F = feature_NF[by_class[str(path)]["row"]].mean(axis=0, keepdims=True)
                yield np.array(where), np.repeat(mean_1F, len(where), axis=0)

    return OwnTree.build(paths, pieces())


def _proposals(
    items: pd.DataFrame,
    other: Taxonomy,
    encode: Encode,
    weights: Weights,
    gold: dict[Parts, set[int]],
) -> tuple[np.ndarray, np.ndarray]:
    """[M, 2] whether the first and one of the first five is right, and [M] confidences."""
    place = {" > ".join(path): j for j, path in enumerate(other.paths)}
    hits, confidences = [], []
    for mapped in map_classes(_tree(items, encode), other, encode, k=5, weights=weights):
        if mapped.parts in gold:
            right = [place[one.path] in gold[mapped.parts] for one in mapped.candidates]
            hits.append((right[0], any(right)))
            confidences.append(mapped.candidates[0].confidence)
    return np.array(hits, dtype=float), np.array(confidences)


def _by_words(other: Taxonomy, gold: dict[Parts, set[int]]) -> tuple[np.ndarray, None]:
    """The same by the share of words in common, rare ones counting more."""
    words_J = [(_words(path), _words(path[-1:])) for path in other.paths]
    count = Counter(word for words, _ in words_J for word in words)
    weight: Callable[[str], float] = lambda word: log(len(words_J) / (1 + count[word]))  # noqa: E731
    hits = []
    for own in sorted(gold):
        mine = (_words(own), _words(own[-1:]))
        score_J = np.array(
            [
                sum(
                    sum(map(weight, a & b)) / max(sum(map(weight, a | b)), 1e-9)
                    for a, b in zip(mine, theirs, strict=True)
                )
                for theirs in words_J
            ]
        )
        best = np.argsort(-score_J, kind="stable")[:5].tolist()
        hits.append((best[0] in gold[own], bool(gold[own] & set(best))))
    return np.array(hits, dtype=float), None


def _words(parts: Parts) -> set[str]:
    return {word.rstrip("s") for part in parts for word in WORD.findall(part.lower())} - {"and"}


def _interval(value_M: np.ndarray, sign: str = "") -> str:
    mean_S1 = resampled_means(value_M[:, None], np.arange(len(value_M)), seed=0)
    ((low, high),) = interval_ends(mean_S1)
    return f"{value_M.mean():{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


if __name__ == "__main__":
    typer.run(main)
