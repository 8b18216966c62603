"""Features and kept columns -> heads, and how often these are right of test items.

Shape letters: N items, F features, V values of a column, C of them that a head predicts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.attributes.fit_head import choose_head
from pipeline.attributes.heads import AttributeHeads, Head, ValueHead
from pipeline.attributes.settings import AttributesSettings
from pipeline.attributes.values import Values, frequent, number_values, tell_of_rare_values
from pipeline.core.block import Block
from pipeline.core.sample import draw_sample
from pipeline.features.joined import TRAINED_WITH, FeatureIndex
from pipeline.features.regression import MOST_WORK, has_modality, modality_features
from pipeline.metrics.bootstrap import interval_ends, resampled_means
from pipeline.metrics.classification import macro_f1

MOST_ITEMS = 50_000
"""Items of a split that features are held of: a GiB, with what is made of them on the way."""
SEED = 0
"""Of samples and of the bootstrap's draws."""
SPLITS = (*TRAINED_WITH, "test")


class _Part(NamedTuple):
    """A split's items."""

    items: FeatureIndex
    features: dict[str, Block]
    """[N, F] by modality."""
    number_N: dict[str, np.ndarray]
    """[N] numbers of the values by attribute."""
    group_N: np.ndarray
    """[N] groups, of which all items are in one split."""

    def of(
        self, modality: str, name: str, *, asked: bool = False
    ) -> tuple[Block, np.ndarray, np.ndarray]:
        """Features, numbers of the values, and groups of the items that have both.

        What lacks a part may help to fit a head of both parts, but is never `asked` by it.
        """
        has_N = has_modality(self.items, modality) & (self.number_N[name] >= 0)
        if asked and modality == "fused":
            has_N &= self.items.has_image & self.items.has_text
        return self.features[modality][has_N], self.number_N[name][has_N], self.group_N[has_N]


def fit_attributes(
    index: FeatureIndex,
    table: pa.Table,
    group_N: np.ndarray,
    settings: AttributesSettings,
    *,
    recipe: dict[str, dict[str, str]],
    path: Path,
    warn: Callable[[str], None],
) -> tuple[AttributeHeads, dict[str, Any]]:
    """Fit a head per attribute and modality on training items, and measure it on test items.

    Each is fitted on the items that have the modality and a value; for both together the mean
    stands for what an item lacks. It is chosen, calibrated and measured on those that it is asked
    of: for both together, on items that have both.

    Args:
        index: N items.
        table: Their kept columns.
        group_N: [N] what each item may not be divided from.
        settings: Which columns, at least one.
        recipe: How features were made, by modality.
        path: Where the columns are from, for messages.
        warn: Takes one line on a column of which most values are too rare among the items that
            heads are fitted on.

    Returns:
        The heads, and figures by attribute and modality; see docs/catalogue.md.

    Raises:
        InputError: A column is not there, or its values are none that can be told apart, too many
            or all too rare; before anything is fitted.
    """
    is_train_N = index.split_N == "train"
    columns = {name: number_values(name, table, path, is_train_N) for name in settings.predict}
    parts = {split: _read_part(index, split, columns, group_N) for split in SPLITS}
    chosen = {name: _choose(parts["train"], name, settings.fewest, warn) for name in columns}
    heads: dict[str, dict[str, ValueHead]] = {}
    figures: dict[str, Any] = {}
    for name, column in columns.items():
        heads[name], figures[name] = {}, {"values": len(column.values)}
        for modality, chosen_C in chosen[name].items():
            if len(chosen_C):
                values = [column.values[number] for number in chosen_C]
                head, said = _fit_one(parts, modality, name, chosen_C, len(column.values))
                heads[name][modality] = ValueHead(values, head)
                figures[name][modality] = said
    return AttributeHeads(recipe, heads), figures


def _read_part(
    index: FeatureIndex, split: str, columns: dict[str, Values], group_N: np.ndarray
) -> _Part:
    position = np.flatnonzero(index.split_N == split)
    position = position[draw_sample(len(position), MOST_ITEMS, SEED)]
    taken = index.take(position)
    numbers = {name: column.number_N[position] for name, column in columns.items()}
    return _Part(taken, modality_features(taken), numbers, group_N[position])


def _choose(
    train: _Part, name: str, fewest: int, warn: Callable[[str], None]
) -> dict[str, np.ndarray]:
    """[C] numbers of the values that are predicted of a column, by modality."""
    tell_of_rare_values(name, train.number_N[name], fewest, warn)
    return {
        modality: frequent(
            name, train.number_N[name][has_modality(train.items, modality)], fewest, block.shape[1]
        )
        for modality, block in train.features.items()
    }


def _fit_one(
    parts: dict[str, _Part], modality: str, name: str, chosen_C: np.ndarray, num_values: int
) -> tuple[Head, dict[str, Any]]:
    """Fit, calibrate and measure a head of the values `chosen_C`."""
    C = len(chosen_C)
    # A value that is not predicted is number C.
    label_V = np.full(num_values, C)
    label_V[chosen_C] = np.arange(C)
    known = {}
    for split in TRAINED_WITH:
        features, number_N, _ = parts[split].of(modality, name, asked=split != "train")
        known_N = np.flatnonzero(label_V[number_N] < C)
        known[split] = features[known_N], label_V[number_N[known_N]]
    features, label_N = known["train"]
    # Fewer where the work would take hours.
    affordable = max(C, MOST_WORK // (features.shape[1] * C))
    fitted = _sample(label_N, C, affordable)
    head, strength, ended = choose_head((features[fitted], label_N[fitted]), known["val"], C)
    said: dict[str, Any] = {
        "predicted_values": C,
        "train_items": len(fitted),
        "strength": strength,
        "ended": ended,
        "temperature": float(head.temperature[0]),
    }
    asked, number_N, group_N = parts["test"].of(modality, name, asked=True)
    if len(number_N):
        most = int(np.bincount(label_N).argmax())
        said |= _measure(head, asked, label_V[number_N], group_N, most)
    return head, said


def _sample(label_N: np.ndarray, num_values: int, size: int) -> np.ndarray:
    """Positions of `size` items at random, and of the first of each value."""
    first_C = np.unique(label_N, return_index=True)[1]
    assert len(first_C) == num_values, "a value that is predicted has training items"
    return np.union1d(draw_sample(len(label_N), size, SEED), first_C)


def _measure(
    head: Head, asked: Block, label_N: np.ndarray, group_N: np.ndarray, most: int
) -> dict[str, Any]:
    """Figures of test items; one of a value that is not predicted counts as an error."""
    probability_NC = head.probabilities(asked)
    said_N = probability_NC.argmax(axis=1)
    right_N1 = (said_N == label_N)[:, None]
    (interval,) = interval_ends(resampled_means(right_N1, group_N, seed=SEED)).tolist()
    return {
        "items": len(label_N),
        "accuracy": float(right_N1.mean()),
        "interval": interval,
        "floor": float((label_N == most).mean()),
        "macro_f1": macro_f1(label_N, said_N),
        "probability": float(probability_NC.max(axis=1).mean()),
        "never_predicted": float((label_N == probability_NC.shape[1]).mean()),
    }
