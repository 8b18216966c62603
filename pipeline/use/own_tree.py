"""The class tree of a catalogue with what its items' titles are about.

Shape letters: K nodes of the tree, N items, B items of a block, F features of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.table import read_metadata, read_table
from pipeline.features.encoder_digest import KEY, check_encoder
from pipeline.features.text_rows import TextRows
from pipeline.index.fit_references import WORD_BLOCKS, choose_block
from pipeline.index.references import unit_rows
from pipeline.model.description import read_description
from pipeline.use.featurizer import TextFeaturizer
from pipeline.use.taxonomy_file import Parts

ROWS = 8192
"""Titles at a time: 13 MB of the default features."""

Encode = Callable[[Sequence[str]], Block]
"""N texts -> [N, F]."""


@dataclass(frozen=True)
class OwnTree:
    """K nodes of one's own tree: every class and every beginning of its path."""

    nodes: list[Parts]
    """In alphabetical order, so that a node stands behind the one above it."""
    count_K: np.ndarray
    """[K] int64 items at and below each."""
    titles_KF: Block
    """[K, F] sums of the unit features of their titles; zeros where there is none."""

    @classmethod
    def build(cls, paths: Sequence[Parts], pieces: Iterator[tuple[np.ndarray, Block]]) -> OwnTree:
        """Add up the titles of the items.

        Args:
            paths: N class paths of the items.
            pieces: Some rows of `paths` at a time, [B], and their texts' features, [B, F].
        """
        nodes = sorted({path[:depth] for path in paths for depth in range(1, len(path) + 1)})
        place = {node: k for k, node in enumerate(nodes)}
        above = {
            path: [place[path[:depth]] for depth in range(1, len(path) + 1)] for path in set(paths)
        }
        count_K = np.zeros(len(nodes), dtype=np.int64)
        for path in paths:
            count_K[above[path]] += 1
        titles_KF: Block | None = None
        for row_B, feature_BF in pieces:
            lists = [above[paths[row]] for row in row_B]
            pointer = np.cumsum([0, *map(len, lists)])
            members = np.concatenate([*lists, np.zeros(0)]).astype(np.int64)
            ones = np.ones(len(members), dtype=np.float32)
            member_BK = csr_matrix((ones, members, pointer), shape=(len(lists), len(nodes)))
            part_KF = member_BK.T @ unit_rows(feature_BF)
            titles_KF = part_KF if titles_KF is None else titles_KF + part_KF
        assert titles_KF is not None, "a catalogue has items"
        return cls(nodes, count_K, titles_KF)


class Catalogue(NamedTuple):
    """What a trained model knows of its own classes."""

    tree: OwnTree
    encode: Encode
    """Makes features of other texts as those of the titles were made."""
    separator: str
    """What joins the parts of its class paths."""
    knows_any_word: bool
    """Whether the encoder reads any text, not the words of the catalogue alone."""


def read_catalogue(model: Path, items: Path, text_features: Path) -> Catalogue:
    """Read the tree of the items, and the features of their titles, a block of them at a time.

    Of several text encoders the one is taken that reads any text, as the index does.

    Args:
        model: Folder of the model.
        items: Items that the catalog stage wrote.
        text_features: Text features that the model was trained with.

    Raises:
        InputError: A file is missing or damaged, or they are not of the same run.
    """
    description = read_description(model)
    recipe = description.recipe["text"]
    if read_metadata(text_features) != recipe:
        raise InputError(f"{text_features}: made in another way than {model} wants; run dvc repro")
    folder = model / "text_encoder"
    check_encoder(folder, recipe.get(KEY), "train again")
    featurizer = TextFeaturizer.load(folder)
    block = choose_block(list(featurizer.encoders))
    separator = str(description.classes["separator"])
    table = read_table(items, ["item_id", "class_path"])
    ids = pd.Index(read_table(text_features, ["item_id"])["item_id"])
    row_N = ids.get_indexer(table["item_id"])
    # In the order of the file, which is read a part at a time.
    order_N = np.argsort(row_N, kind="stable")
    with_text = order_N[row_N[order_N] >= 0]
    texts = TextRows(text_features)
    columns = texts.columns[block]

    def pieces() -> Iterator[tuple[np.ndarray, Block]]:
        # Of no title too, as the number of features is known from them.
        for start in range(0, max(len(with_text), 1), ROWS):
            part = with_text[start : start + ROWS]
            yield part, texts.read_matrix(row_N[part])[:, columns]

    paths = [tuple(path.split(separator)) for path in table["class_path"]]
    return Catalogue(
        OwnTree.build(paths, pieces()),
        lambda names: featurizer.encode_block(block, names),
        separator,
        block not in WORD_BLOCKS,
    )
