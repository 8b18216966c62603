import numpy as np
import pytest
from PIL import Image
from torch import nn

from pipeline.image.backbones.backbone import Backbone
from pipeline.image.extract import Picture, load_backbone


@pytest.fixture(scope="session")
def pooled_backbone():
    return load_backbone("packaged/efficientnet_lite0", "pooled")


@pytest.fixture(scope="session")
def mean_colour():
    """A backbone small enough to check by hand: the mean of each normalised colour channel."""
    return Backbone(
        module=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        dimension=3,
        size=8,
        mean=(100.0, 50.0, 0.0),
        std=(10.0, 5.0, 1.0),
        weights_digest="none",
    )


@pytest.fixture
def make_pictures(tmp_path):
    """Write so many pictures of noise, of different sizes; ids are `item-0`, `item-1`, ..."""

    def make(count: int) -> list[Picture]:
        generator = np.random.default_rng(0)
        (tmp_path / "pictures").mkdir()
        pictures = []
        for number in range(count):
            blocks = generator.integers(0, 256, (4, 5, 3), dtype=np.uint8)
            path = tmp_path / "pictures" / f"{number}.png"
            size = (80 + 10 * number, 90)
            Image.fromarray(blocks).resize(size, Image.Resampling.BILINEAR).save(path)
            pictures.append(Picture(f"item-{number}", path))
        return pictures

    return make
