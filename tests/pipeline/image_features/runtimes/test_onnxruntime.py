import numpy as np

from pipeline.image_features.runtimes.onnxruntime import OnnxRunner


def test_vectors_are_torchs(small, batch, cosine):
    pixels, expected = batch
    found = OnnxRunner(small.onnx_file, 4).submit(pixels)()
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-5
    assert cosine(found, expected) > 0.999999


def test_a_vector_does_not_depend_on_its_place_in_the_batch(small, batch):
    pixels, _ = batch
    runner = OnnxRunner(small.onnx_file, 4)
    forwards, backwards = runner.submit(pixels)(), runner.submit(pixels[::-1].copy())()
    assert np.array_equal(forwards, backwards[::-1])
