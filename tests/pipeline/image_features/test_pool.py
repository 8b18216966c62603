import numpy as np
import pytest

from pipeline.image_features.pool import pool


def test_pictures_count_alike_however_long_their_vectors_are():
    pooled_I = pool(np.array([[3, 0], [0, 100]], np.float32))
    assert pooled_I.dtype == np.float32
    # Half of each direction, times the mean of the lengths.
    assert pooled_I.tolist() == [51.5 / 2, 51.5 / 2]


def test_it_is_as_written_out_plainly():
    vector_PI = np.random.default_rng(0).normal(size=(5, 40)).astype(np.float32)
    norms = [float(np.sqrt((one.astype(float) ** 2).sum())) for one in vector_PI]
    units = [one.astype(float) / norm for one, norm in zip(vector_PI, norms, strict=True)]
    assert pool(vector_PI) == pytest.approx(sum(units) / 5 * sum(norms) / 5, rel=1e-6)


def test_one_picture_is_itself_and_a_vector_of_zeros_adds_nothing():
    vector_PI = np.array([[3, 4], [0, 0]], np.float32)
    assert pool(vector_PI[:1]) == pytest.approx([3, 4])
    assert pool(vector_PI) == pytest.approx([0.75, 1.0])
