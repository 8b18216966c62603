import numpy as np
import pytest
import torch

from pipeline.image_features.load_backbone import load_same_backbone
from pipeline.image_features.runtimes.onnx_export import PixelsToVectors


@pytest.fixture(scope="session")
def batch(small):
    """Four squares and their vectors by plain torch."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = PixelsToVectors(load_same_backbone(small.recipe))(torch.from_numpy(pixels))
    return pixels, expected.numpy()


@pytest.fixture(scope="session")
def cosine():
    """Least cosine similarity between rows."""

    def cosine(a, b):
        products = (a * b).sum(1)
        return (products / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min()

    return cosine
