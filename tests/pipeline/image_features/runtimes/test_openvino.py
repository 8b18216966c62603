from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline.image_features.runtimes.openvino import OpenVinoRunner


def test_float32_vectors_are_torchs(small, batch, cosine):
    pixels, expected = batch
    runner = OpenVinoRunner(small.onnx_file, 4, "fp32")
    first = runner.submit(pixels)
    runner.submit(255 - pixels)
    # The second batch did not overwrite the first one's result.
    assert np.abs(first() - expected).max() < 1e-4
    assert cosine(first(), expected) > 0.99999


def test_bfloat16_is_near(small, batch, cosine):
    pixels, expected = batch
    found = OpenVinoRunner(small.onnx_file, 4, "bf16").submit(pixels)()
    assert found.dtype == np.float32
    assert cosine(found, expected) > 0.99


def test_several_threads_get_each_their_own_vectors(small, batch):
    pixels, _ = batch
    alone = OpenVinoRunner(small.onnx_file, 1, "fp32")
    shared = OpenVinoRunner(small.onnx_file, 1, "fp32", 4)
    ones = [pixels[[row % 4]] for row in range(40)]
    with ThreadPoolExecutor(shared.threads) as pool:
        found = list(pool.map(lambda one: shared.submit(one)(), ones))
    for one, vector in zip(ones, found, strict=True):
        assert np.array_equal(vector, alone.submit(one)())


def test_a_batch_of_another_size_is_refused(small, batch):
    runner = OpenVinoRunner(small.onnx_file, 2, "fp32")
    with pytest.raises(RuntimeError):
        runner.submit(batch[0])
