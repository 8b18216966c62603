import numpy as np
import pytest
from scipy.optimize import approx_fprime

from pipeline.audit import misfiled as module
from pipeline.audit.misfiled import fit_misfiled, loss_and_gradient


def signals(random, count, share):
    """Given and decoy signals of which one tells wrong labels apart, and which labels are wrong."""
    wrong_N = random.random(count) < share
    given_NS, decoy_NS = random.normal(size=(count, 2)), random.normal(size=(count, 2))
    given_NS[wrong_N, 0] += 4
    decoy_NS[:, 0] += 4
    return given_NS, decoy_NS, wrong_N


def test_the_gradient_is_that_of_the_loss():
    random = np.random.default_rng(0)
    given_NS, decoy_NS, _ = signals(random, 40, 0.1)
    parameter_P = np.array([1.3, -0.2, -2.0, -3.0])
    loss, gradient_P = loss_and_gradient(parameter_P, given_NS, decoy_NS)
    numeric_P = approx_fprime(parameter_P, lambda p: loss_and_gradient(p, given_NS, decoy_NS)[0])
    np.testing.assert_allclose(gradient_P, numeric_P, atol=1e-5)
    # By the formula, item by item.
    share, weight = 1 / (1 + np.exp(3.0)), module.DECOY_WEIGHT
    plain = module.PENALTY * weight * (1.3**2 + 0.2**2)
    for n in range(40):
        for signal_S, decoy in ((given_NS[n], False), (decoy_NS[n], True)):
            ratio = np.exp(signal_S @ parameter_P[:2] - 2)
            odds = weight * ratio / (share * ratio + 1 - share)
            plain -= (weight * np.log(odds / (1 + odds)) if decoy else np.log(1 / (1 + odds))) / 40
    assert loss == pytest.approx(plain)


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1])
def test_probabilities_are_true_though_nobody_says_which_labels_are_wrong(share):
    random = np.random.default_rng(0)
    given_NS, decoy_NS, wrong_N = signals(random, 20_000, share)
    found = fit_misfiled(given_NS, decoy_NS, np.ones(20_000, dtype=bool), seed=0)
    assert found.share == pytest.approx(wrong_N.mean(), rel=0.15)
    # Two unit normals four apart: the logarithm of the ratio of their densities is 4 x - 8.
    expected_N = 1 / (1 + np.exp(8 - 4 * given_NS[:, 0]) * (1 - share) / share)
    assert np.abs(found.probability_N - expected_N).mean() < 0.005
    for low, high in ((0.2, 0.8), (0.8, 1.0)):
        in_N = (found.probability_N >= low) & (found.probability_N < high)
        error = found.probability_N[in_N].mean() - wrong_N[in_N].mean()
        assert abs(error) < 0.03 + 3 * np.sqrt(0.25 / in_N.sum())


def test_a_clean_catalogue_has_next_to_no_wrong_labels():
    given_NS, decoy_NS, _ = signals(np.random.default_rng(0), 5000, 0.0)
    found = fit_misfiled(given_NS, decoy_NS, np.ones(5000, dtype=bool), seed=0)
    assert found.share < 0.003
    assert (found.probability_N > 0.5).sum() <= 5


def test_items_that_are_not_judged_teach_nothing():
    given_NS, decoy_NS, _ = signals(np.random.default_rng(0), 2000, 0.05)
    judged_N = np.arange(2000) < 1500
    alone = fit_misfiled(given_NS[:1500], decoy_NS[:1500], judged_N[:1500], seed=0)
    spoilt_NS = np.where(judged_N[:, None], given_NS, 1000.0)
    found = fit_misfiled(spoilt_NS, decoy_NS, judged_N, seed=0)
    np.testing.assert_allclose(found.probability_N[:1500], alone.probability_N)


def test_many_items_are_judged_from_a_sample(monkeypatch):
    given_NS, decoy_NS, wrong_N = signals(np.random.default_rng(0), 8000, 0.05)
    monkeypatch.setattr(module, "MOST_ITEMS", 3000)
    found = fit_misfiled(given_NS, decoy_NS, np.ones(8000, dtype=bool), seed=0)
    assert len(found.probability_N) == 8000
    assert found.share == pytest.approx(wrong_N.mean(), rel=0.3)


def test_a_signal_that_never_varies_is_no_trouble():
    given_NS, decoy_NS, _ = signals(np.random.default_rng(0), 1000, 0.05)
    given_NS[:, 1] = decoy_NS[:, 1] = 3.0
    found = fit_misfiled(given_NS, decoy_NS, np.ones(1000, dtype=bool), seed=0)
    assert np.isfinite(found.probability_N).all()
