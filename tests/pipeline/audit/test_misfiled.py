import numpy as np
import pytest
from scipy.optimize import approx_fprime

from pipeline.audit import misfiled as module
from pipeline.audit.misfiled import Labels, fit_misfiled, loss_and_gradient, strata
from pipeline.audit.signals import Described


def catalogue(random, count, share_near, share_far, *, decoys_near=0.5):
    """Given labels and decoys of which one signal tells wrong ones apart, and what is wrong.

    A third of the labels have a near best other class. Decoys are near as often as is said.
    """
    near_N = random.random(count) < 1 / 3
    wrong_N = random.random(count) < np.where(near_N, share_near, share_far)
    given_NS, decoy_NS = random.normal(size=(count, 2)), random.normal(size=(count, 2))
    given_NS[wrong_N, 0] += 4
    decoy_NS[:, 0] += 4
    decoy_near_N = random.random(count) < decoys_near
    given = Described(given_NS, np.where(near_N, 2, 6))
    return given, Described(decoy_NS, np.where(decoy_near_N, 2, 6)), wrong_N


def fit(given, decoys):
    return fit_misfiled(given, decoys, np.ones(len(given.signal_NS), dtype=bool), seed=0)


def test_the_gradient_is_that_of_the_loss():
    random = np.random.default_rng(0)
    given, decoys, _ = catalogue(random, 40, 0.1, 0.1)
    parts = [Labels(of.signal_NS, (of.distance_N > 2).astype(np.int64)) for of in (given, decoys)]
    parameter_P = np.array([1.3, -0.2, -2.0, -1.0, -3.0, -2.5])
    loss, gradient_P = loss_and_gradient(parameter_P, *parts)
    numeric_P = approx_fprime(parameter_P, lambda p: loss_and_gradient(p, *parts)[0])
    np.testing.assert_allclose(gradient_P, numeric_P, atol=1e-5)
    # By the formula, label by label.
    share_T = 1 / (1 + np.exp([3.0, 2.5]))
    constant_T = [-2.0, -1.0]
    count_T = [[(labels.stratum_M == t).sum() for t in (0, 1)] for labels in parts]
    plain = module.PENALTY * module.DECOY_WEIGHT * (parameter_P[:4] ** 2).sum()
    for decoy, labels in enumerate(parts):
        for signal_S, t in zip(labels.signal_MS, labels.stratum_M, strict=True):
            ratio = np.exp(signal_S @ parameter_P[:2] + constant_T[t])
            per_given = count_T[1][t] / count_T[0][t]
            odds = module.DECOY_WEIGHT * per_given * ratio
            odds /= share_T[t] * ratio + 1 - share_T[t]
            chance = odds / (1 + odds) if decoy else 1 / (1 + odds)
            plain -= (module.DECOY_WEIGHT if decoy else 1) * np.log(chance) / 40
    assert loss == pytest.approx(plain)


@pytest.mark.parametrize("shares", [(0.01, 0.01), (0.09, 0.0), (0.0, 0.05), (0.1, 0.02)])
@pytest.mark.parametrize("decoys_near", [0.3, 0.7])
def test_probabilities_are_true_though_nobody_says_which_labels_are_wrong(shares, decoys_near):
    random = np.random.default_rng(0)
    given, decoys, wrong_N = catalogue(random, 20_000, *shares, decoys_near=decoys_near)
    found = fit(given, decoys)
    assert found.share == pytest.approx(wrong_N.mean(), rel=0.15)
    # Two unit normals four apart: the logarithm of the ratio of their densities is 4 x - 8.
    share_N = np.where(given.distance_N == 2, *shares)
    right_N = np.exp(8 - 4 * given.signal_NS[:, 0]) * (1 - share_N)
    assert np.abs(found.probability_N - share_N / (share_N + right_N)).mean() < 0.005
    for low, high in ((0.2, 0.8), (0.8, 1.0)):
        in_N = (found.probability_N >= low) & (found.probability_N < high)
        error = found.probability_N[in_N].mean() - wrong_N[in_N].mean()
        assert abs(error) < 0.03 + 3 * np.sqrt(0.25 / in_N.sum())


def test_a_clean_catalogue_has_next_to_no_wrong_labels():
    given, decoys, _ = catalogue(np.random.default_rng(0), 5000, 0, 0)
    found = fit(given, decoys)
    assert found.share < 0.003
    assert (found.probability_N > 0.5).sum() <= 5


def test_items_that_are_not_judged_teach_nothing():
    given, decoys, _ = catalogue(np.random.default_rng(0), 2000, 0.05, 0.05)
    judged_N = np.arange(2000) < 1500
    few = [Described(of.signal_NS[:1500], of.distance_N[:1500]) for of in (given, decoys)]
    spoilt = given._replace(signal_NS=np.where(judged_N[:, None], given.signal_NS, 1000.0))
    found = fit_misfiled(spoilt, decoys, judged_N, seed=0)
    np.testing.assert_allclose(found.probability_N[:1500], fit(*few).probability_N)


def test_many_items_are_judged_from_a_sample(monkeypatch):
    given, decoys, wrong_N = catalogue(np.random.default_rng(0), 8000, 0.05, 0.05)
    monkeypatch.setattr(module, "MOST_ITEMS", 3000)
    found = fit(given, decoys)
    assert len(found.probability_N) == 8000
    assert found.share == pytest.approx(wrong_N.mean(), rel=0.3)


def test_a_signal_that_never_varies_is_no_trouble():
    given, decoys, _ = catalogue(np.random.default_rng(0), 1000, 0.05, 0.05)
    given.signal_NS[:, 1] = decoys.signal_NS[:, 1] = 3.0
    assert np.isfinite(fit(given, decoys).probability_N).all()


def test_a_distance_that_was_not_seen_is_judged_as_the_next():
    given, decoys, _ = catalogue(np.random.default_rng(0), 2000, 0.05, 0.05)
    judged_N = np.arange(2000) < 1998
    for distance, seen in ((1, 2), (9, 6)):
        distance_N = np.where(
            judged_N, given.distance_N, [[distance, seen][n % 2] for n in range(2000)]
        )
        alike_NS = np.where(judged_N[:, None], given.signal_NS, 1.0)
        found = fit_misfiled(Described(alike_NS, distance_N), decoys, judged_N, seed=0)
        assert found.score_N[-2] == found.score_N[-1]


@pytest.mark.parametrize(
    ("given", "decoys", "first"),
    [
        ({2: 500, 4: 500, 6: 500}, {2: 500, 4: 500, 6: 500}, [2, 4, 6]),
        ({2: 500, 4: 100, 6: 500}, {2: 500, 4: 500, 6: 500}, [2, 4]),
        ({2: 500, 4: 500, 6: 900}, {2: 900, 4: 900, 6: 100}, [2, 4]),
        ({1: 50, 2: 450, 5: 500}, {2: 500, 4: 10, 6: 490}, [1, 4]),
        ({2: 10}, {2: 4, 4: 6}, [2]),
    ],
)
def test_strata_have_enough_of_both(given, decoys, first):
    one, other = (np.repeat(list(of), list(of.values())) for of in (given, decoys))
    assert strata(one, other).tolist() == first
