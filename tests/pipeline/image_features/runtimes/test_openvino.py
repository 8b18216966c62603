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


def test_a_batch_of_another_size_is_refused(small, batch):
    runner = OpenVinoRunner(small.onnx_file, 2, "fp32")
    with pytest.raises(RuntimeError):
        runner.submit(batch[0])
