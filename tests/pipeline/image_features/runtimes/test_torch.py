import numpy as np
import pytest
import torch

from pipeline.image_features.load_backbone import load_same_backbone
from pipeline.image_features.runtimes.torch import TorchRunner


@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.999999), ("bf16", 0.99)])
def test_vectors_on_the_cpu(small, batch, cosine, precision, least):
    pixels, expected = batch
    runner = TorchRunner(load_same_backbone(small.recipe), "cpu", precision, 4)
    found = runner.submit(pixels)()
    assert found.dtype == np.float32
    assert cosine(found, expected) > least


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    ("precision", "least"), [("fp32", 0.99999), ("bf16", 0.99), ("fp16", 0.99)]
)
def test_vectors_on_a_gpu(small, batch, cosine, precision, least):
    pixels, expected = batch
    runner = TorchRunner(load_same_backbone(small.recipe), "cuda", precision, None)
    assert runner.batch_size >= 32
    padded = np.concatenate([pixels, np.zeros((runner.batch_size - 4, 64, 64, 3), np.uint8)])
    results = [runner.submit(padded) for _ in range(3)]
    padded[:] = 0
    assert all(cosine(result()[:4], expected) > least for result in results)
