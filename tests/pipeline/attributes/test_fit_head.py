import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.attributes import fit_head as module
from pipeline.attributes.fit_head import STRENGTHS, calibrated, choose_head, fit_head
from pipeline.features import regression
from pipeline.features.regression import fit_regression


@pytest.fixture
def feature_NF():
    feature_NF = np.random.default_rng(0).normal(1.0, 3.0, (60, 7)).astype(np.float32)
    feature_NF[::6, :3] = np.nan
    return feature_NF


@pytest.fixture(params=[2, 4])
def value_N(request):
    return np.arange(60) % request.param


@pytest.mark.parametrize("sparse", [False, True])
def test_it_says_what_scikit_learn_says(feature_NF, value_N, sparse):
    features = csr_matrix(feature_NF) if sparse else feature_NF
    wanted_NV = fit_regression(features, value_N).predict_proba(features)
    head, ended = fit_head(features, value_N, value_N.max() + 1, 1.0)
    assert ended
    assert np.abs(head.probabilities(features) - wanted_NV).max() < 1e-5


def test_a_solver_that_came_to_no_end_is_told_of_and_warns_nobody(feature_NF, value_N, monkeypatch):
    for place in (regression, module):
        monkeypatch.setattr(place, "MOST_PASSES", 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, ended = fit_head(feature_NF, value_N, value_N.max() + 1, 1.0)
    assert not ended


def test_an_overconfident_head_is_sobered_and_says_the_same(feature_NF, value_N):
    head, _ = fit_head(feature_NF, value_N, value_N.max() + 1, 1.0)
    sure = head._replace(temperature=head.temperature / 20)
    other_N = np.random.default_rng(1).permutation(value_N)
    sober = calibrated(sure, feature_NF, other_N)
    rows = np.arange(60)
    likely = [one.probabilities(feature_NF)[rows, other_N] + 1e-12 for one in (sure, sober)]
    assert np.log(likely[1]).mean() > np.log(likely[0]).mean()
    assert (sure.logits(feature_NF).argmax(1) == sober.logits(feature_NF).argmax(1)).all()
    assert calibrated(sure, feature_NF[:0], other_N[:0]) is sure, "no items, nothing fitted"


def test_of_a_few_items_that_are_named_rightly_nothing_is_certain(feature_NF):
    value_N = (feature_NF[:, 6] > 1).astype(int)
    head, _ = fit_head(feature_NF, value_N, 2, 1.0)
    few = feature_NF[1:6]
    said_N = head.probabilities(few).argmax(axis=1)
    assert calibrated(head, few, said_N).probabilities(few).max(axis=1).mean() < 0.97


def test_the_only_value_is_certain(feature_NF):
    head, ended = fit_head(feature_NF, np.zeros(60, int), 1, 1.0)
    assert ended
    assert (head.probabilities(feature_NF) == 1).all()


def test_validation_items_choose_how_small_the_weights_are_kept():
    """Where nothing tells the value, the smallest are right; where the features do, others."""
    random = np.random.default_rng(0)
    feature_NF = random.normal(size=(400, 20)).astype(np.float32)
    train, val = slice(0, 200), slice(200, 400)
    found = {}
    for name, value_N in {
        "told": (feature_NF[:, 0] + feature_NF[:, 1] > 0).astype(int),
        "not": random.integers(0, 2, 400),
    }.items():
        parts = [(feature_NF[part], value_N[part]) for part in (train, val)]
        found[name] = choose_head(*parts, 2)
        said_N = found[name].head.probabilities(feature_NF[val])[np.arange(200), value_N[val]]
        for strength in STRENGTHS:  # and no valley after the first
            other = calibrated(fit_head(*parts[0], 2, strength)[0], *parts[1])
            likely_N = other.probabilities(feature_NF[val])[np.arange(200), value_N[val]]
            assert np.log(said_N).mean() >= np.log(likely_N).mean() - 1e-3
    assert found["told"].strength > found["not"].strength
    nobody = feature_NF[:0], np.zeros(0, int)
    alone = choose_head((feature_NF[train], np.arange(200) % 2), nobody, 2)
    assert alone.head.temperature == 1
