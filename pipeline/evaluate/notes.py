"""What a reader has to know beside the figures: where they say less than they seem to.

Shape letters: N test items.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.baseline.baseline import Baseline
from pipeline.evaluate.decisions import filed_and_right
from pipeline.evaluate.directions import PAPER_DIRECTIONS
from pipeline.evaluate.figures import WHOLE_TREE_AT_MOST, Measured
from pipeline.evaluate.outcomes import FEWEST_GROUPS, SEED, Outcomes, against_baseline
from pipeline.features.shared import NEAR_TEXTS
from pipeline.metrics.bootstrap import interval_ends, resampled_means

UNANSWERABLE_AT_MOST = 0.1
"""Share of a direction's queries that may be unanswerable before it is said."""


def baseline_tree(found: Outcomes, baseline: Baseline) -> dict[str, Any]:
    """Figures of the baseline, and of the model against it.

    Returns:
        `fitted_items` of `train_items`, and by modality `model` and `baseline` accuracy and their
        `difference` with its 95 % `interval`, paired by item, and whether it is `certain`; empty
        without a baseline.
    """
    rows = against_baseline(found)
    if not rows:
        return {}
    return {
        "fitted_items": baseline.fitted_items,
        "train_items": baseline.train_items,
        **{
            modality: {
                "model": one.second,
                "baseline": one.first,
                "difference": one.value,
                "interval": [one.low, one.high],
                "certain": one.is_certain,
            }
            for modality, one in rows.items()
        },
    }


def without(found: Outcomes, left_out_N: np.ndarray) -> dict[str, Any]:
    """Figures without some of the queries, which stay candidates.

    Returns:
        `items` left out, and the headline figures `with` and `without` them; empty if there are
        none.
    """
    if not left_out_N.any():
        return {}
    tree: dict[str, Any] = {"items": int(left_out_N.sum()), "with": _headline(found)}
    if not left_out_N.all():
        tree["without"] = _headline(found.select(~left_out_N))
    return tree


def notes(test: Measured, details: Mapping[str, Any]) -> list[str]:
    """Say what stands between the figures and what they are read as, one line each.

    The baseline's, which matters most, comes first.
    """
    return [
        *_baseline_notes(details.get("baseline", {})),
        *_leak_notes(details),
        *_unanswerable_notes(test),
        *_tree_notes(details.get("whole_tree_share", {})),
        *_filing_notes(test),
    ]


def verdict(row: Mapping[str, Any]) -> str:
    """Name the model's accuracy beside the baseline's, from a modality's row of `baseline_tree`."""
    low, high = row["interval"]
    return (
        f"accuracy {row['model']:.3f}, logistic regression on the same features "
        f"{row['baseline']:.3f} (difference {row['difference']:+.3f}, 95 % interval {low:+.3f} to "
        f"{high:+.3f})"
    )


def _headline(found: Outcomes) -> dict[str, float]:
    figures = found.figures()
    return {name: figures[name] for name in found.means_of}


def _baseline_notes(baseline: Mapping[str, Any]) -> list[str]:
    modalities = [name for name, row in baseline.items() if isinstance(row, Mapping)]
    if not modalities:
        return []
    row = baseline[modalities[-1]]
    if row["certain"] and row["difference"] > 0:
        return []
    how = "below" if row["certain"] else "not certainly above"
    return [
        f"the model is {how} its baseline: {verdict(row)}; try more "
        "model.input_dropout, another train.lr, or other features (image.backbone, text.encoders)"
    ]


def _leak_notes(details: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, reason in (
        ("divided", "share a product, a picture or a text with train or val"),
        (
            "near_text_in_train",
            "have a text that differs from one in train in sizes, colours or numbers at most",
        ),
    ):
        leak = details.get(name)
        if not leak or (
            name == "near_text_in_train" and leak["items"] <= NEAR_TEXTS * details["test"]["items"]
        ):
            continue
        line = f"{leak['items']} of {details['test']['items']} test items {reason}"
        if "without" in leak:
            line += "; without them " + ", ".join(
                f"{figure} is {value:.3f} instead of {leak['with'][figure]:.3f}"
                for figure, value in leak["without"].items()
            )
        lines.append(line)
    return lines


def _unanswerable_notes(test: Measured) -> list[str]:
    lines, silent = [], []
    for name, one in test.directions.items():
        share = float((~one.answerable).mean())
        if share == 1:
            silent.append(name)
        elif share > UNANSWERABLE_AT_MOST:
            lines.append(
                f"{_spoken(name)}: {share:.0%} of the queries have no item of their class that "
                "they may find; they are not in the means"
            )
    if silent:
        rest = [name for name in PAPER_DIRECTIONS if name in test.directions and name not in silent]
        means = f"; the first figures are means of {_listed(rest)}" if rest else ""
        lines.append(
            f"{_listed(silent)}: not measured, since no query has an item of its class with "
            f"another product and another content to find{means}"
        )
    return lines


def _tree_notes(share_of: Mapping[str, float]) -> list[str]:
    whole = {
        f"HP@{figure.removeprefix('hp_at_')}": share
        for figure, share in share_of.items()
        if share > WHOLE_TREE_AT_MOST
    }
    if not whole:
        return []
    shares = " and ".join(f"{share:.0%} of the queries at {name}" for name, share in whole.items())
    return [
        f"{', '.join(whole)}: any result is right for {shares}, since no part of the class tree "
        "below the whole has that many classes; no headline figure"
    ]


def _filing_notes(test: Measured) -> list[str]:
    """Where test items belie what validation items promised."""
    lines: list[str] = []
    found = test.decisions
    if found is None:
        return lines
    for modality in found.thresholds:
        level_M, right_M = filed_and_right(found, modality)
        group_M = test.group_N[test.queries.numpy()]
        for level in np.unique(level_M[level_M > 0]):
            here_M = level_M == level
            right, group = right_M[here_M].astype(float)[:, None], group_M[here_M]
            if len(np.unique(group)) < FEWEST_GROUPS:
                continue
            _, high = interval_ends(resampled_means(right, group, seed=SEED))[0]
            if high < found.precision:
                lines.append(
                    f"filed at level {level} by {modality}: {right.mean():.3f} of {len(right)} "
                    f"test items rightly (at most {high:.3f}), where classify.precision wants "
                    f"{found.precision:g} and validation items allowed it: test and validation "
                    "items are not alike, so do not rely on the thresholds"
                )
    return lines


def _spoken(direction: str) -> str:
    return direction.replace("_", " ")


def _listed(directions: list[str]) -> str:
    return ", ".join(map(_spoken, directions))
