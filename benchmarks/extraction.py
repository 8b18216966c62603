"""The extraction stage as benchmarks run it: files to Parquet, without DVC and the command line."""

import shutil
from pathlib import Path

from pipeline.core.machine import MachineSettings
from pipeline.core.params import load_section
from pipeline.core.vector_store import VectorStore
from pipeline.image_features.extract import extract, write_features
from pipeline.image_features.make_recipe import RecipeFiles, make_recipe
from pipeline.image_features.picture_list import list_pictures
from pipeline.image_features.settings import ImageSettings
from pipeline.pictures.digests import digest_pictures
from pipeline.pictures.folder import ImageFolder

BATCH = 8
LITE0, RESNET = "packaged/efficientnet_lite0", "torchvision/resnet18"
PARAMS = Path("params.yaml")


def settings_of(backbone: str, precision: str = "fp32") -> ImageSettings:
    """Section `image` as shipped; ResNet-18 as img2vec feeds it."""
    weights = "default" if backbone == LITE0 else "none"
    changes = {"backbone": backbone, "weights": weights, "resize": "squash", "precision": precision}
    return load_section(PARAMS, "image", ImageSettings).model_copy(update=changes)


def prepared(
    backbone: str, cache: Path, device: str = "cpu", precision: str = "fp32"
) -> RecipeFiles:
    """A backbone in the default runtime of a device."""
    return make_recipe(settings_of(backbone, precision), device, cache)


def make_files(source: Path, folder: Path, count: int) -> list[str]:
    """Fill a folder with `count` different files: those of `source` with another tail each time."""
    originals = [path.read_bytes() for path in sorted(source.iterdir())[:count]]
    suffix = next(source.iterdir()).suffix
    folder.mkdir()
    for number in range(count):
        # Decoders stop at the end of the picture.
        data = originals[number % len(originals)] + number.to_bytes(8, "big")
        (folder / f"{number:06}{suffix}").write_bytes(data)
    return sorted(path.name for path in folder.iterdir())


def extract_all(
    made: RecipeFiles,
    folder: Path,
    names: list[str],
    out: Path,
    workers: int,
    engine: str = "local",
    *,
    device: str = "cpu",
    fresh: bool = True,
) -> None:
    """Files to Parquet as the stages do it; `fresh` throws away what an earlier call left."""
    if fresh:
        shutil.rmtree(out, ignore_errors=True)
    made = made._replace(store=VectorStore(out / "store"))
    machine = load_section(PARAMS, "machine", MachineSettings)
    batch = BATCH if device == "cpu" else None
    how = {"workers": workers, "image_batch_size": batch, "engine": engine}
    images = ImageFolder(folder)
    digests = digest_pictures(names, images, out / "digests")
    digest_of = dict(digests.itertuples(index=False, name=None))
    found = extract(
        list_pictures([(name, name) for name in names], digest_of, images),
        folder,
        made,
        settings_of(made.recipe.backbone),
        machine.model_copy(update=how),
        device,
    )
    assert not found.failures, found.failures[:3]
    write_features(out / "image.parquet", found, made, made.recipe.metadata())
