import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from pipeline.metrics.selective import calibration_error, precision_at_coverage, reliability


def test_four_answers_by_hand():
    confidence, right = np.array([0.9, 0.6, 0.8, 0.7]), np.array([1, 0, 1, 0], bool)
    # In order right, right, wrong, wrong.
    found = precision_at_coverage(confidence, right, [0.25, 0.5, 0.75, 1.0])
    assert found.tolist() == pytest.approx([1, 1, 2 / 3, 1 / 2])
    # Two and a half answers, of which two are right.
    assert precision_at_coverage(confidence, right, [0.625])[0] == pytest.approx(2 / 2.5)


def test_the_order_of_equally_confident_answers_does_not_matter():
    confidence, right = np.array([0.9, 0.5, 0.5, 0.5]), np.array([1, 1, 0, 0], bool)
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        found = precision_at_coverage(confidence[order], right[order], [0.5])
        assert found[0] == pytest.approx((1 + 1 / 3) / 2)


def test_no_answers_have_no_precision():
    assert np.isnan(precision_at_coverage(np.empty(0), np.empty(0, bool), [0.5])).all()
    with pytest.raises(ValueError, match="coverages"):
        precision_at_coverage(np.ones(2), np.ones(2, bool), [0.0])


def test_two_bins_by_hand():
    confidence = np.array([0.2, 0.4, 0.9, 0.7])
    right = np.array([0, 1, 1, 1], bool)
    low, high = reliability(confidence, right, bins=2)
    assert low == pytest.approx((0.3, 0.5, 2))
    assert high == pytest.approx((0.8, 1.0, 2))
    assert calibration_error([low, high]) == pytest.approx((2 * 0.2 + 2 * 0.2) / 4)


def test_bins_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    confidence = generator.random(1000)
    right = generator.random(1000) < confidence**2
    share, mean = calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    bins = reliability(confidence, right, bins=15)
    np.testing.assert_allclose([one.confidence for one in bins], mean, atol=0.003)
    np.testing.assert_allclose([one.right for one in bins], share, atol=0.03)
    assert sum(one.items for one in bins) == 1000


def test_equal_confidences_are_one_bin():
    (one,) = reliability(np.full(30, 0.9), np.arange(30) < 27)
    assert one == pytest.approx((0.9, 0.9, 30))
    assert calibration_error([one]) == pytest.approx(0)
