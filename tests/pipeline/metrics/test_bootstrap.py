import numpy as np
import pytest

from pipeline.metrics import bootstrap as module
from pipeline.metrics.bootstrap import bootstrap_intervals


def test_two_queries_by_hand():
    # Values 0 and 1: a resample's mean is 0, 1/2 or 1 with probability 1/4, 1/2, 1/4. The 40 %
    # interval cuts 30 % off either side, so both ends are 1/2; the 90 % interval is 0..1.
    value = np.array([[0.0], [1.0]])
    assert bootstrap_intervals(value, seed=0, level=0.4).tolist() == [[0.5, 0.5]]
    assert bootstrap_intervals(value, seed=0, level=0.9).tolist() == [[0, 1]]


def test_width_is_that_of_the_normal_approximation():
    # 400 queries, half of them hits: standard error sqrt(0.25 / 400) = 0.025; 1.96 of them.
    value = np.repeat([True, False], 200)[:, None]
    low, high = bootstrap_intervals(value, seed=1, resamples=4000)[0]
    assert low == pytest.approx(0.5 - 0.049, abs=0.004)
    assert high == pytest.approx(0.5 + 0.049, abs=0.004)


def test_columns_share_their_draws():
    value = np.random.default_rng(0).random(50)
    found = bootstrap_intervals(np.stack((value, 1 - value), axis=1), seed=3)
    assert found[1].tolist() == pytest.approx([1 - found[0, 1], 1 - found[0, 0]])


def test_seed_decides_and_block_size_does_not(monkeypatch):
    value = np.random.default_rng(0).random((60, 3))
    expected = bootstrap_intervals(value, seed=5)
    assert not np.array_equal(bootstrap_intervals(value, seed=6), expected)
    monkeypatch.setattr(module, "WEIGHTS_PER_BLOCK", 60 * 7)
    assert bootstrap_intervals(value, seed=5) == pytest.approx(expected, abs=1e-12)


def test_constant_figure_has_no_width():
    assert bootstrap_intervals(np.ones((30, 1)), seed=0).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        (np.ones((0, 2)), {}, r"at least one query, got \(0, 2\)"),
        (np.ones(3), {}, "at least one query"),
        (np.ones((3, 1)), {"level": 1.0}, "level"),
        (np.ones((3, 1)), {"resamples": 0}, "resamples"),
    ],
)
def test_misuse_is_named(value, options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_intervals(value, seed=0, **options)
