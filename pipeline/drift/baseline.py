"""What batches are compared with: the training items, and what held-out items are beside these.

Those are the validation and test items, which the model has seen no more than it has seen new ones:
it is more certain of what it was trained on.

Shape letters: M held-out items, P of them with a picture or a text, F features.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.mapped_table import map_table
from pipeline.core.sample import draw_sample
from pipeline.core.table import read_metadata, read_table
from pipeline.drift.batch_log import measured_text
from pipeline.drift.moments import Moments
from pipeline.features.joined import FeatureIndex, join_features, read_groups
from pipeline.index.fit_references import OWN
from pipeline.index.nearness import Nearness, decide
from pipeline.index.references import load_references, references_file
from pipeline.use.api import Huse
from pipeline.use.embeddings import Features

MOST_ITEMS = 2000
"""Of a larger catalogue random samples of so many held-out and training items."""


@dataclass(frozen=True)
class Baseline:
    """Items of the catalogue."""

    group_M: np.ndarray
    """[M] int64: held-out items with the same number, variants mostly, are drawn together."""
    paths: list[str]
    """M most probable classes of the held-out items."""
    probability_M: np.ndarray
    """How probable these are."""
    far_M: np.ndarray | None
    """[M] bool: no other item is near; None: nobody can tell."""
    features: dict[str, np.ndarray]
    """[P, F] by modality, of the held-out items that have it, as moments of them are recorded."""
    group: dict[str, np.ndarray]
    """[P] int64: their groups."""
    trained: dict[str, Moments]
    """Of the same features, of the training items."""
    trained_classes: Counter[str]
    """Training items by class."""


def make_baseline(
    model: Huse, folder: Path, index: Path, *, groups: Path, **tables: Path
) -> Baseline:
    """Run held-out items through the model, and measure training items' features.

    Args:
        model: The model.
        folder: Where it is.
        index: Folder of the index, which says what is near.
        groups: Parquet of what items have in common.
        tables: What else `join_features` reads.

    Raises:
        InputError: A file is missing or damaged, features were made in another way than the model
            wants, or there are no held-out items.
    """
    for modality in ("image", "text"):
        path = tables[f"{modality}_features"]
        if read_metadata(path) != model.description.recipe[modality]:
            raise InputError(f"{path}: made in another way than the model wants; run dvc repro")
    every = join_features(groups=groups, **tables).usable()
    held_out = _some(every.take(np.flatnonzero(every.split_N != "train")))
    if not len(held_out):
        raise InputError(
            f"{tables['splits']}: no validation or test item, which batches are compared with; "
            "see split.val and split.test"
        )
    features = _read(held_out)
    top = [one.top[0] for one in model.classify(features, 1)]
    near = [one.near for one in _judge(held_out, features, folder, index, groups)]
    dense = int(model.description.config["text_features"])
    trained = _measured(_read(_some(every.only("train"))), dense)
    tree = model.known.trained_tree
    group_M = read_groups(groups, held_out.item_ids)
    return Baseline(
        group_M,
        [guess.path for guess in top],
        np.array([guess.probability for guess in top]),
        None if None in near else ~np.array(near, dtype=bool),
        _measured(features, dense),
        {"image": group_M[features.has_image], "text": group_M[features.has_text]},
        {name: Moments.of(feature_PF) for name, feature_PF in trained.items()},
        Counter(tree.path_J[tree.class_node_K[k]] for k in every.only("train").label_N),
    )


def _some(index: FeatureIndex) -> FeatureIndex:
    return index.take(draw_sample(len(index), MOST_ITEMS, seed=0))


def _read(index: FeatureIndex) -> Features:
    has_image, has_text = index.has_image, index.has_text
    return Features(
        index.image.read(index.clean_row[has_image]),
        has_image,
        index.text.read_matrix(index.text_row_N[has_text]),
        has_text,
    )


def _measured(v: Features, dense: int) -> dict[str, np.ndarray]:
    return {"image": v.image_PI, "text": measured_text(v.text_MF, dense)}


def _judge(
    held_out: FeatureIndex, v: Features, folder: Path, index: Path, groups: Path
) -> list[Nearness]:
    """Tell which items would be near if neither they nor their variants were in the catalogue."""
    columns = sorted({column for own in OWN.values() for column in own})
    shared = read_table(groups, ["item_id", *columns]).set_index("item_id")
    parts: list[list[Nearness]] = [[] for _ in range(len(v))]
    for modality, has_M, feature in (
        ("image", v.has_image, v.image_PI),
        ("text", v.has_text, v.text_MF),
    ):
        if not has_M.any():
            continue
        references = load_references(index, modality, model=folder)
        if references is None:
            return [Nearness(None, None, None, None, modality)] * len(v)
        known = map_table(references_file(index, modality), ["item_id"])["item_id"].to_pandas()
        own = OWN[modality]
        found = references.judge(
            feature,
            modality,
            _numbers(shared, own, pd.Series(held_out.item_ids[has_M])),
            _numbers(shared, own, known),
        )
        for place, one in zip(np.flatnonzero(has_M), found, strict=True):
            parts[place].append(one)
    return [decide(found) for found in parts]


def _numbers(shared: pd.DataFrame, own: list[str], ids: pd.Series) -> list[np.ndarray]:
    """What items belong to; an item that has left the catalogue to nothing."""
    table = shared.reindex(ids)
    return [table[column].to_numpy() for column in own]
