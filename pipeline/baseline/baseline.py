"""Logistic regression on the same features: what a model has to beat to be worth its training.

Shape letters: N items, F features.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from typing_extensions import TypedDict

from pipeline.core.block import Block
from pipeline.core.json_file import read_note_as
from pipeline.core.table import open_parquet, read_metadata, read_table, write_table
from pipeline.features.joined import FeatureIndex
from pipeline.features.regression import (
    MODALITIES,
    MOST_WEIGHTS,
    MOST_WORK,
    fit_regression,
    has_modality,
    modality_features,
)

BLOCK_SCORES = 2**24
"""Scores of test items that are in memory at a time."""
SEED = 0
"""Of the sample of training items."""


class Baseline(NamedTuple):
    """What logistic regression says of the test items."""

    predicted: pd.DataFrame
    """Names of classes in the columns image, text and fused, by the test items' item_id; None
    where an item lacks the modality. No columns where no baseline was wanted."""
    fitted_items: int
    """Training items it was fitted on; 0 where there is none."""
    train_items: int
    """Training items that there are."""
    recipe: dict[str, dict[str, str]]
    """How image and text features were made, by modality, as their tables say."""


class _Noted(TypedDict):
    fitted_items: int
    train_items: int
    recipe: dict[str, dict[str, str]]


def fit_baseline(
    index: FeatureIndex,
    class_names: Sequence[str],
    *,
    most_items: int,
    recipe: dict[str, dict[str, str]],
) -> Baseline:
    """Fit one regression per modality on the training items and classify the test items.

    Each is of the items that have the modality; for both together the mean stands for what an item
    lacks, as is usual. Features are standardised on the same items, as train does.

    Above `most_items`, or where the work would pass MOST_WORK, a random sample of the training
    items is fitted on. There is no baseline where not even an item per class is affordable, or the
    weights would pass MOST_WEIGHTS.
    """
    train, test = index.only("train"), index.only("test")
    features = index.image.dimension + index.text.dimension + index.text.num_words
    weights = features * len(class_names)
    affordable = MOST_WORK // weights
    items = min(len(train), most_items, affordable)
    if len(test) == 0 or weights > MOST_WEIGHTS or affordable < len(class_names):
        items = 0
    name_K = np.array(class_names, dtype=object)
    predicted = pd.DataFrame(index=pd.Index(test.item_ids, name="item_id", dtype="str"))
    if items > 0:
        chosen = np.random.default_rng(SEED).permutation(len(train))[:items]
        fitted = train.take(np.sort(chosen))
        some, asked = modality_features(fitted), modality_features(test)
        for modality in MODALITIES:
            from_N, to_N = has_modality(fitted, modality), has_modality(test, modality)
            found = _classify(some[modality][from_N], fitted.label_N[from_N], asked[modality][to_N])
            named = np.full(len(test), None, dtype=object)
            named[to_N] = name_K[found]
            predicted[modality] = named
    return Baseline(predicted, items, len(train), recipe)


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write predictions, with what they were fitted on as metadata."""
    noted = json.dumps(baseline._asdict() | {"predicted": None})
    write_table(path, baseline.predicted.reset_index(), {"baseline": noted})


def read_baseline(path: Path) -> Baseline:
    """Read what `write_baseline` wrote.

    Raises:
        InputError: The file is missing or damaged.
    """
    columns = [name for name in open_parquet(path, []).schema_arrow.names if name in MODALITIES]
    table = read_table(path, ["item_id", *columns])
    noted = read_note_as(path, read_metadata(path).get("baseline"), _Noted, "run huse baseline")
    predicted = table.set_index("item_id")
    return Baseline(predicted, noted["fitted_items"], noted["train_items"], noted["recipe"])


def _classify(features: Block, label_N: np.ndarray, asked: Block) -> np.ndarray:
    if len(np.unique(label_N)) == 1:  # which the library refuses
        return np.repeat(label_N[:1], asked.shape[0])
    model = fit_regression(features, label_N)
    rows = max(1, BLOCK_SCORES // len(model[-1].classes_))
    blocks = [model.predict(asked[n : n + rows]) for n in range(0, asked.shape[0], rows)]
    return np.concatenate(blocks)
