import numpy as np
import pytest

from pipeline.drift.moments import Moments, feature_distance

FEATURE_NF = np.array([[1.0, 0.0], [3.0, 4.0], [5.0, 2.0]], dtype=np.float32)


def test_parts_together_are_the_whole():
    whole = Moments.of(FEATURE_NF)
    put_together = Moments.of(FEATURE_NF[:1]).plus(Moments.of(FEATURE_NF[1:]))
    assert put_together.count == 3
    assert put_together.mean_F == pytest.approx([3, 2])
    assert put_together.square_F == pytest.approx(whole.square_F)


def test_nothing_adds_nothing():
    none = Moments.of(FEATURE_NF[:0])
    assert none.plus(none).count == 0
    assert none.plus(Moments.of(FEATURE_NF)).mean_F == pytest.approx([3, 2])


def test_a_distance_by_hand():
    usual = Moments.of(np.array([[-1.0, 7.0], [1.0, 7.0]]))
    # The second never varies. Of the first the mean is 3 more and the deviation 4 more, 5 instead
    # of 1; the mean of the variances is 13.
    other = Moments.of(np.array([[-2.0, 9.0], [8.0, 9.0]]))
    assert feature_distance(other.mean_F, other.square_F, usual) == pytest.approx(5 / 13**0.5)
    assert feature_distance(usual.mean_F, usual.square_F, usual) == pytest.approx(0)


def test_many_at_once_are_each_alone():
    random = np.random.default_rng(0)
    usual = Moments.of(random.normal(size=(50, 3)))
    several = [Moments.of(random.normal(size=(20, 3)) * scale) for scale in (1, 2)]
    mean_BF, square_BF = (
        np.stack([getattr(one, name) for one in several]) for name in ("mean_F", "square_F")
    )
    assert feature_distance(mean_BF, square_BF, usual) == pytest.approx(
        [feature_distance(one.mean_F, one.square_F, usual) for one in several]
    )
