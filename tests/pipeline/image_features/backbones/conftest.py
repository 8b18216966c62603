import numpy as np
import pytest
import torch
from PIL import Image


@pytest.fixture
def picture():
    """A picture of noise that every transform has to resize."""
    blocks = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((333, 250), Image.Resampling.BICUBIC)


@pytest.fixture
def embed(picture):
    """The vector of the picture (or another) by a backbone and its own transform."""

    def embed(backbone, image=picture):
        transform = backbone.transform
        pixels = torch.from_numpy(transform.square(image).copy()).float()
        normalised = (pixels - torch.tensor(transform.mean)) / torch.tensor(transform.std)
        with torch.inference_mode():
            return backbone.module(normalised.permute(2, 0, 1)[None])[0]

    return embed
