import numpy as np
import pytest

from pipeline.metrics import bootstrap as module
from pipeline.metrics.bootstrap import interval_ends, resampled_means


def intervals(value_MC, group_M=None, *, seed=0, resamples=1000, level=0.95):
    group_M = np.arange(len(value_MC)) if group_M is None else group_M
    means = resampled_means(value_MC, group_M, seed=seed, resamples=resamples)
    return interval_ends(means, level=level)


def test_two_queries_by_hand():
    # Values 0 and 1: a resample's mean is 0, 1/2 or 1 with probability 1/4, 1/2, 1/4. The 40 %
    # interval cuts 30 % off either side, so both ends are 1/2; the 90 % interval is 0..1.
    value = np.array([[0.0], [1.0]])
    assert intervals(value, level=0.4).tolist() == [[0.5, 0.5]]
    assert intervals(value, level=0.9).tolist() == [[0, 1]]


def test_width_is_that_of_the_normal_approximation():
    # 400 queries, half of them hits: standard error sqrt(0.25 / 400) = 0.025; 1.96 of them.
    value = np.repeat([True, False], 200)[:, None]
    low, high = intervals(value, seed=1, resamples=4000)[0]
    assert low == pytest.approx(0.5 - 0.049, abs=0.004)
    assert high == pytest.approx(0.5 + 0.049, abs=0.004)


def test_queries_of_one_group_are_one_witness():
    # 400 queries in 100 groups of four that hit or miss together: as wide as for 100 queries.
    value = np.tile(np.repeat([True, False], 50), 4)[:, None]
    low, high = intervals(value, np.tile(np.arange(100), 4), seed=1, resamples=4000)[0]
    assert high - low == pytest.approx(2 * 1.96 * 0.05, abs=0.015)
    alone_low, alone_high = intervals(value, seed=1, resamples=4000)[0]
    assert alone_high - alone_low == pytest.approx((high - low) / 2, rel=0.1)


def test_a_group_counts_with_all_its_queries():
    # A group of three ones and a query with a zero: the mean is 0, 3/4 or 1.
    means = resampled_means(np.array([[1.0], [1], [1], [0]]), np.array([5, 5, 5, 2]), seed=0)
    assert set(np.unique(means)) == {0, 0.75, 1}


def test_a_query_without_a_value_is_in_no_mean():
    value = np.array([[1.0, np.nan], [0, 1], [1, 0], [np.nan, 1]])
    means = resampled_means(value, np.arange(4), seed=0)
    alone = resampled_means(value[:, [1]], np.arange(4), seed=0)
    np.testing.assert_array_equal(means[:, [1]], alone)
    assert np.nanmin(means) == 0
    assert np.nanmax(means) == 1
    assert np.isnan(interval_ends(np.full((9, 1), np.nan))).all()


def test_columns_share_their_draws_so_that_differences_are_paired():
    value = np.random.default_rng(0).random(50)
    found = intervals(np.stack((value, 1 - value, value - value), axis=1), seed=3)
    assert found[1].tolist() == pytest.approx([1 - found[0, 1], 1 - found[0, 0]])
    assert found[2].tolist() == [0, 0]


def test_seed_decides_and_block_size_does_not(monkeypatch):
    value = np.random.default_rng(0).random((60, 3))
    expected = intervals(value, seed=5)
    assert not np.array_equal(intervals(value, seed=6), expected)
    monkeypatch.setattr(module, "WEIGHTS_PER_BLOCK", 60 * 7)
    assert intervals(value, seed=5) == pytest.approx(expected, abs=1e-12)


def test_constant_figure_has_no_width():
    assert intervals(np.ones((30, 1))).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        (np.ones((0, 2)), {}, r"at least one query, got \(0, 2\)"),
        (np.ones(3), {}, "at least one query"),
        (np.ones((3, 1)), {"group_M": np.arange(2)}, r"groups must be \[3\]"),
        (np.ones((3, 1)), {"level": 1.0}, "level"),
        (np.ones((3, 1)), {"resamples": 0}, "resamples"),
    ],
)
def test_misuse_is_named(value, options, message):
    with pytest.raises(ValueError, match=message):
        intervals(value, **options)
