import numpy as np

from pipeline.train.data.moments import Moments


def test_pieces_have_the_mean_and_deviation_of_the_whole():
    # Far from zero, where a sum of squares would lose the digits.
    whole = np.random.default_rng(0).normal(loc=1000.0, size=(50, 3)).astype(np.float32)
    moments = Moments()
    for piece in np.split(whole, [1, 7, 30]):
        moments.add(piece)
    exact = whole.astype(np.float64)
    np.testing.assert_allclose(moments.mean_F, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.std_F, exact.std(axis=0), rtol=1e-9)


def test_a_constant_feature_has_no_deviation():
    moments = Moments()
    moments.add(np.full((4, 1), 0.1, dtype=np.float32))
    moments.add(np.full((2, 1), 0.1, dtype=np.float32))
    assert moments.std_F.item() == 0.0
