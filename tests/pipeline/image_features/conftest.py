from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pipeline.image_features.backbones.backbone import Backbone
from pipeline.image_features.extract import Effort, Views, extract
from pipeline.image_features.extractor import Extractor
from pipeline.image_features.picture_list import list_pictures
from pipeline.image_features.prepare import Wishes, prepare
from pipeline.image_features.runtimes.torch import TorchRunner
from pipeline.image_features.transform import Transform
from pipeline.image_features.vector_store import VectorStore
from pipeline.pictures.digests import digest_pictures
from pipeline.pictures.folder import ImageFolder

PLAIN = Wishes(resize=None, size=None, interpolation=None, mean=None, std=None)
SMALL = {
    "weights": "none",
    "layer": "pooled",
    "wishes": PLAIN._replace(resize="squash", size=64),
    "jpeg": "exact",
    "background": "#ffffff",
    "max_pixels": 1_000_000,
    "runtime": "auto",
    "precision": "fp32",
    "device": torch.device("cpu"),
}


@pytest.fixture
def mean_colour():
    """A backbone small enough to check by hand: the mean of each normalised colour channel."""
    transform = Transform("squash", 8, 8, "bicubic", (100.0, 50.0, 0.0), (10.0, 5.0, 1.0))
    return Backbone(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), transform)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """SqueezeNet with random weights on squares of 64 pixels: a network that takes no time."""
    return prepare("torchvision/squeezenet1_1", cache=tmp_path_factory.mktemp("small"), **SMALL)


@pytest.fixture
def make_extractor(small):
    """An extractor with the small recipe, parts of it replaced, around any backbone."""

    def make(backbone: Backbone, *, batch_size: int = 4, **changed) -> Extractor:
        recipe = replace(
            small.recipe, transform=backbone.transform, dimension=backbone.dimension(), **changed
        )
        return Extractor(recipe, TorchRunner(backbone, "cpu", "fp32", batch_size))

    return make


def draw(folder: Path, count: int, *, seed: int = 0) -> list[str]:
    """Write so many different pictures of noise, named 0.png, 1.png, ..."""
    generator = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    names = []
    for number in range(count):
        blocks = generator.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        image = Image.fromarray(blocks).resize((80 + number % 50, 90), Image.Resampling.BILINEAR)
        image.save(folder / f"{seed}-{number}.png")
        names.append(f"{seed}-{number}.png")
    return names


@pytest.fixture
def pictures(tmp_path):
    """A folder for pictures; call it to write some more."""
    (tmp_path / "pictures").mkdir()

    def more(count: int, *, seed: int = 0) -> list[str]:
        return draw(tmp_path / "pictures", count, seed=seed)

    more.folder = tmp_path / "pictures"
    return more


@pytest.fixture
def run(small, tmp_path):
    """Extract images of `pictures` with the small network into a store of the test's own."""

    def run(images, *, views=1, augment="crop_flip", workers=1, batch_size=None, **changed):
        recipe = replace(small.recipe, **changed)
        store = VectorStore(tmp_path / "store", recipe.dimension)
        rows = [(f"item-{index}", image) for index, image in enumerate(images)]
        folder = ImageFolder(tmp_path / "pictures")
        digests = digest_pictures(images, folder, tmp_path / "digests")
        digest_of = dict(digests.itertuples(index=False, name=None))
        found = extract(
            list_pictures(rows, digest_of, folder),
            tmp_path / "pictures",
            recipe,
            store,
            small.graph,
            views=Views(views, augment),
            effort=Effort("local", "cpu", workers, batch_size),
        )
        return found, store

    return run
