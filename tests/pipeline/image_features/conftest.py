from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from pipeline.core.machine import MachineSettings
from pipeline.core.params import load_section
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.extract import extract
from pipeline.image_features.make_recipe import make_recipe
from pipeline.image_features.picture_encoder import PictureEncoder
from pipeline.image_features.picture_list import list_pictures
from pipeline.image_features.runtimes.torch import TorchRunner
from pipeline.image_features.settings import ImageSettings
from pipeline.image_features.transform import Transform
from pipeline.pictures.digests import digest_pictures
from pipeline.pictures.folder import ImageFolder

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def settings():
    """SqueezeNet with random weights on squares of 64 pixels: a network that takes no time."""
    small = {"backbone": "torchvision/squeezenet1_1", "weights": "none", "device": "cpu"}
    small |= {"resize": "squash", "size": 64, "max_pixels": 1_000_000}
    return load_section(ROOT / "params.yaml", "image", ImageSettings).model_copy(update=small)


@pytest.fixture(scope="session")
def machine():
    return load_section(ROOT / "params.yaml", "machine", MachineSettings)


@pytest.fixture
def mean_colour():
    """A backbone small enough to check by hand: the mean of each normalised colour channel."""
    transform = Transform("squash", 8, 8, "bicubic", (100.0, 50.0, 0.0), (10.0, 5.0, 1.0))
    return Backbone(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), transform)


@pytest.fixture(scope="session")
def small(settings, tmp_path_factory):
    """The recipe of these settings, and its ONNX file."""
    return make_recipe(settings, "cpu", tmp_path_factory.mktemp("small"))


@pytest.fixture
def make_encoder(small):
    """An encoder with the small recipe, parts of it replaced, around any backbone."""

    def make(backbone: Backbone, *, batch_size: int = 1, **changed) -> PictureEncoder:
        recipe = replace(
            small.recipe, transform=backbone.transform, dimension=backbone.dimension(), **changed
        )
        return PictureEncoder(recipe, TorchRunner(backbone, "cpu", "fp32", batch_size))

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
def run(small, settings, machine, tmp_path):
    """Extract images of `pictures` with the small network into a store of the test's own."""

    def run(images, *, workers=1, batch_size=None, views=1, augment="crop_flip", **changed):
        files = small._replace(
            recipe=replace(small.recipe, **changed), store=VectorStore(tmp_path / "store")
        )
        rows = [(f"item-{index}", image) for index, image in enumerate(images)]
        folder = ImageFolder(tmp_path / "pictures")
        digests = digest_pictures(images, folder, tmp_path / "digests")
        digest_of = dict(digests.itertuples(index=False, name=None))
        found = extract(
            list_pictures(rows, digest_of, folder),
            tmp_path / "pictures",
            files,
            settings.model_copy(update={"views": views, "augment": augment}),
            machine.model_copy(update={"workers": workers, "image_batch_size": batch_size}),
            "cpu",
        )
        return found, files

    return run
