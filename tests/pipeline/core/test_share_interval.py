import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.core.share_interval import share_interval


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(
    ("right", "count"), [(0, 1), (1, 1), (0, 50), (3, 10), (50, 50), (1, 100_000), (700, 1000)]
)
def test_it_is_scipys(right, count, confidence):
    expected = binomtest(right, count).proportion_ci(confidence, method="wilson")
    found = share_interval(right, count, confidence)
    assert [type(end) for end in share_interval(np.int64(right), count, confidence)] == [float] * 2
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
