from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pipeline.drift.compare import FIGURES, compare
from pipeline.drift.moments import Moments
from pipeline.drift.periods import Period

LEVEL = 0.05


def period_of(baseline, rows):
    """Held-out items as if they had been served."""
    return Period(
        "2026-W48",
        len(rows),
        len(rows),
        int(baseline.far_M[rows].sum()),
        float(baseline.probability_M[rows].sum()),
        Counter(baseline.paths[row] for row in rows),
        {name: Moments.of(block[rows]) for name, block in baseline.features.items()},
    )


def beyond(found):
    return {one.figure for one in found if one.beyond}


@pytest.fixture(scope="module")
def rows(baseline):
    return np.arange(len(baseline.paths))


def test_items_of_the_catalogue_rarely_raise_an_alarm(baseline, rows):
    random = np.random.default_rng(0)
    batches = [period_of(baseline, random.choice(rows, 20)) for _ in range(60)]
    # Of 60, three are expected at this level; more than seven come once in fifty times.
    assert sum(bool(beyond(compare(batch, baseline, LEVEL))) for batch in batches) <= 7


def test_a_batch_of_one_class_has_another_class_mix(baseline, rows):
    (path, _), *_ = Counter(baseline.paths).most_common()
    one_class = rows[[path == other for other in baseline.paths]]
    # The features as usual: nothing but the classes has changed.
    batch = replace(period_of(baseline, rows), classes=Counter({path: len(rows)}))
    assert beyond(compare(batch, baseline, LEVEL)) == {"classes"}
    mixed = period_of(baseline, np.resize(one_class, 40))
    assert "classes" in beyond(compare(mixed, baseline, LEVEL))


def test_a_class_that_the_catalogue_does_not_have_counts(baseline, rows):
    usual, strange = (
        replace(period_of(baseline, rows), classes=classes)
        for classes in (Counter(baseline.paths), Counter({"nowhere": len(rows)}))
    )
    found = {one.figure: one.value for one in compare(strange, baseline, LEVEL)}
    assert found["classes"] == pytest.approx(1)
    assert {one.figure: one.value for one in compare(usual, baseline, LEVEL)}["classes"] < 0.7


@pytest.mark.parametrize("modality", ["image", "text"])
def test_other_features_are_told_by_their_modality(baseline, rows, modality):
    batch = period_of(baseline, rows)
    spread_F = baseline.features[modality].std(axis=0)
    moved = Moments.of(baseline.features[modality] + spread_F)
    batch.moments[modality] = moved
    assert beyond(compare(batch, baseline, LEVEL)) == {modality}


def test_far_items_and_uncertain_ones_are_told(baseline, rows):
    far = replace(period_of(baseline, rows), far=len(rows) // 2)
    found = {one.figure: one for one in compare(far, baseline, LEVEL)}
    assert found["far"].beyond
    low, high = found["far"].interval
    assert low < found["far"].value < high
    unsure = replace(period_of(baseline, rows), probability=0.1 * len(rows))
    assert beyond(compare(unsure, baseline, LEVEL)) == {"probability"}
    sure = replace(period_of(baseline, rows), probability=1.0 * len(rows))
    assert beyond(compare(sure, baseline, LEVEL)) == set()


def test_few_items_have_wider_bands(baseline, rows):
    few, many = (
        {one.figure: one for one in compare(period_of(baseline, some), baseline, LEVEL)}
        for some in (rows[:5], np.resize(rows, 500))
    )
    for name in ("far", "classes", "image", "text"):
        assert few[name].limit > many[name].limit
    assert few["probability"].limit < many["probability"].limit


def test_what_was_not_measured_is_left_out(baseline, rows):
    batch = replace(period_of(baseline, rows), judged=0, far=0)
    batch.moments["image"] = Moments.of(baseline.features["image"][:0])
    found = compare(batch, replace(baseline, far_M=None), LEVEL)
    assert [one.figure for one in found] == ["classes", "text", "probability"]


def test_the_same_log_gives_the_same_figures(baseline, rows):
    batch = period_of(baseline, rows[:20])
    assert compare(batch, baseline, LEVEL) == compare(batch, baseline, LEVEL)
    assert [one.figure for one in compare(batch, baseline, LEVEL)] == list(FIGURES)
