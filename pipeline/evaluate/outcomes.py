"""What every test item contributes to every figure, by which two runs can be compared.

Shape letters: N test items, C figures, S resamples.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_note_as
from pipeline.core.table import open_parquet, read_metadata, read_table, write_table
from pipeline.metrics.bootstrap import interval_ends, resampled_means

ROLES = ["item_id", "group"]
FEWEST_GROUPS = 10
"""With fewer, a bootstrap over groups says nothing of how sure a difference is."""
SEED = 0
"""Of the bootstrap's draws: the same data have the same intervals."""


@dataclass(frozen=True)
class Outcomes:
    """One run's test items."""

    item_ids: np.ndarray
    """[N] strings."""
    group_N: np.ndarray
    """[N] int64: items that belong together, which the bootstrap draws together."""
    value_of: dict[str, np.ndarray]
    """[N] float64 by the figure's dotted name, such as `retrieval.image_to_text.r_at_1`; NaN where
    the item is not in the figure's mean."""
    means_of: dict[str, list[str]]
    """Headline figures: the figures that each is the mean of."""

    def figures(self) -> dict[str, float]:
        """All figures by name, headline figures first."""
        mean = {name: float(np.nanmean(value_N)) for name, value_N in self.value_of.items()}
        headline = {
            name: float(np.mean([mean[part] for part in parts]))
            for name, parts in self.means_of.items()
        }
        return headline | mean

    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % bootstrap intervals of all figures by name."""
        mean_SC = resampled_means(
            np.stack(list(self.value_of.values()), 1), self.group_N, seed=SEED
        )
        return _ends(_with_headline(mean_SC, list(self.value_of), self.means_of))

    def select(self, keep_N: np.ndarray) -> "Outcomes":
        """Keep some items, by [N] bool.

        A figure that none of them counts for is left out, and so is a headline figure made of it.
        """
        value_of = {
            name: value_N[keep_N]
            for name, value_N in self.value_of.items()
            if not np.isnan(value_N[keep_N]).all()
        }
        means_of = {
            name: parts for name, parts in self.means_of.items() if set(parts) <= set(value_of)
        }
        return Outcomes(self.item_ids[keep_N], self.group_N[keep_N], value_of, means_of)


class Difference(NamedTuple):
    """One figure in two runs on the same items."""

    first: float
    second: float
    low: float
    """Lower end of the 95 % interval of second - first."""
    high: float
    groups: int
    """Groups of items that it rests on."""

    @property
    def value(self) -> float:
        """How much greater the second is."""
        return self.second - self.first

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves out no difference at all, and rests on enough groups."""
        return self.groups >= FEWEST_GROUPS and not self.low <= 0 <= self.high


def differences(first: Outcomes, second: Outcomes) -> tuple[dict[str, Difference], int]:
    """Compare two runs on the test items that both have, paired item by item.

    Returns:
        Differences of the figures that both have, headline figures first; number of items. An item
        that only one of the runs counts in a figure is left out of that figure.

    Raises:
        InputError: They have no test item in common, or no figure.
    """
    _, rows, others = np.intersect1d(first.item_ids, second.item_ids, return_indices=True)
    pairs = {
        name: np.stack((first.value_of[name][rows], second.value_of[name][others]))
        for name in second.value_of
        if name in first.value_of
    }
    # Paired: what one run left out of a figure says nothing of how the two differ in it.
    for pair_2N in pairs.values():
        pair_2N[:, np.isnan(pair_2N).any(axis=0)] = np.nan
    names = [name for name, pair_2N in pairs.items() if not np.isnan(pair_2N).all()]
    if not names:
        raise InputError("compare: the runs have no test item or no figure in common")
    first_NC, second_NC = np.stack([pairs[name] for name in names], axis=-1)
    means_of = {
        name: parts
        for name, parts in second.means_of.items()
        if first.means_of.get(name) == parts and set(parts) <= set(names)
    }
    # Of the differences, not of either run: most of what makes queries hard is common to both.
    mean_SC = resampled_means(second_NC - first_NC, second.group_N[others], seed=SEED)
    ends = _ends(_with_headline(mean_SC, names, means_of))
    one, two = (
        _with_headline(np.nanmean(both, axis=0, keepdims=True), names, means_of)
        for both in (first_NC, second_NC)
    )
    groups = len(np.unique(second.group_N[others]))
    found = {
        name: Difference(float(one[name][0]), float(two[name][0]), *ends[name], groups)
        for name in ends
    }
    return found, len(rows)


def against_baseline(outcomes: Outcomes) -> dict[str, Difference]:
    """Compare the model's accuracies with those of logistic regression on the same items.

    Differences are by modality, the baseline first; there are none without a baseline.
    """
    accuracy = {
        name.replace("baseline.", "classification."): value_N
        for name, value_N in outcomes.value_of.items()
        if name.startswith("baseline.")
    }
    if not accuracy:
        return {}
    baseline = Outcomes(outcomes.item_ids, outcomes.group_N, accuracy, {})
    found, _ = differences(baseline, outcomes)
    return {name.split(".")[1]: difference for name, difference in found.items()}


def write_outcomes(path: Path, outcomes: Outcomes) -> None:
    """Write a row per test item and a column per figure."""
    columns = {"item_id": outcomes.item_ids, "group": outcomes.group_N} | {
        name: value_N.astype(np.float32) for name, value_N in outcomes.value_of.items()
    }
    write_table(path, pd.DataFrame(columns), {"means_of": json.dumps(outcomes.means_of)})


def read_outcomes(path: Path) -> Outcomes:
    """Read what `write_outcomes` wrote.

    Raises:
        InputError: The file is missing or damaged.
    """
    names = open_parquet(path, ROLES).schema_arrow.names
    table = read_table(path, names)
    return Outcomes(
        table["item_id"].to_numpy(dtype=object),
        table["group"].to_numpy(dtype=np.int64),
        {name: table[name].to_numpy(dtype=np.float64) for name in names if name not in ROLES},
        read_note_as(
            path, read_metadata(path).get("means_of"), dict[str, list[str]], "run huse evaluate"
        ),
    )


def _with_headline(
    mean_SC: np.ndarray, names: list[str], means_of: Mapping[str, list[str]]
) -> dict[str, np.ndarray]:
    """[S] means by name, headline figures first."""
    mean_of = dict(zip(names, mean_SC.T, strict=True))
    headline = {
        name: np.mean([mean_of[part] for part in parts], axis=0) for name, parts in means_of.items()
    }
    return headline | mean_of


def _ends(mean_of: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    ends_C2 = interval_ends(np.stack(list(mean_of.values()), axis=1))
    return {name: (low, high) for name, (low, high) in zip(mean_of, ends_C2.tolist(), strict=True)}
