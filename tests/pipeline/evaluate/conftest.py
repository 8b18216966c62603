import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from pipeline.evaluate.predictions import Predicted
from pipeline.features.classes import make_classes
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel


@pytest.fixture
def make_embedded():
    """Build results of one modality: noisy unit vectors around one direction per class."""

    def build(label_N: torch.Tensor, *, seed: int = 0, noise: float = 0.4, dim: int = 8):
        generator = torch.Generator().manual_seed(seed)
        centre_KD = torch.randn(50, dim, generator=torch.Generator().manual_seed(99))
        noise_ND = torch.randn(len(label_N), dim, generator=generator)
        embedding_ND = functional.normalize(centre_KD[label_N] + noise * noise_ND, dim=1)
        predicted_N = label_N.clone()
        predicted_N[::4] = 0
        ones_N = torch.ones(len(label_N))
        right_N = predicted_N == label_N
        classes = int(label_N.max()) + 1 if len(label_N) else 1
        # The predicted class, and the others in their order.
        best_NR = (predicted_N[:, None] + torch.arange(classes)) % classes
        return Predicted(
            embedding_ND, predicted_N, ones_N, right_N, best_NR, right_N, torch.ones_like(right_N)
        )

    return build


@pytest.fixture
def labels():
    """Draw class numbers."""

    def build(count: int, classes: int, seed: int = 0) -> torch.Tensor:
        return torch.from_numpy(np.random.default_rng(seed).integers(classes, size=count))

    return build


@pytest.fixture
def stored(make_model):
    """A model with random weights for those items."""
    classes = make_classes(["bags<big", "bags<small", "hats"], separator="<", label="path")
    fusion = Fusion(0.3, image_temperature=1.5, text_temperature=0.7, fused_temperature=1.0)
    return StoredModel(make_model(), fusion, classes, {"image": {}, "text": {}})


@pytest.fixture
def frame():
    """The table of twelve test items."""
    return pd.DataFrame(
        {
            "image": [f"{n}.png" for n in range(12)],
            "text": [f"thing {n}" for n in range(12)],
            "class_path": [["bags<big", "bags<small", "hats"][n % 3] for n in range(12)],
            "label": [n % 3 for n in range(12)],
        }
    )
