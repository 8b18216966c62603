import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML
from torch.nn import functional

from pipeline.core.json_file import write_json
from pipeline.core.table import write_table
from pipeline.core.vectors import vector_array
from pipeline.features.classes import make_classes
from pipeline.features.pairs import Pairs
from pipeline.features.present import Present
from pipeline.features.shared import REQUIRE
from pipeline.model.towers import Towers, TowersConfig
from tests.published_clip import TINY_CLIP, write_published_clip

SHIPPED = Path(__file__).parents[2] / "params.yaml"
CONFIG = {
    "image_features": 6,
    "text_features": 4,
    "num_classes": 3,
    "dim": 8,
    "image_layers": 5,
    "text_layers": 2,
    "width": 16,
    "dropout": 0.15,
    "logit_scale": "learned",
    "classifier": "shared",
    "fusion": "late",
}
HUB_COMMIT = "a" * 40


@pytest.fixture
def make_pairs():
    """Build items whose features lie around one point per class and modality.

    With `noise` 0.5 the three classes are easily told apart; a third of the items is in each split.
    With `gaps`, of every five items the second has no text and the third no picture; features that
    are not there are large numbers, which no result may depend on.
    """

    def build(count: int, *, noise: float = 0.5, seed: int = 0, gaps: bool = False) -> Pairs:
        centre_generator = torch.Generator().manual_seed(1)
        image_centre_KI = torch.randn(3, CONFIG["image_features"], generator=centre_generator)
        text_centre_KT = torch.randn(3, CONFIG["text_features"], generator=centre_generator)
        generator = torch.Generator().manual_seed(seed)
        label_N = torch.randint(3, (count,), generator=generator)
        image_NI = image_centre_KI[label_N]
        text_NT = text_centre_KT[label_N]
        image_NI = image_NI + noise * torch.randn(image_NI.shape, generator=generator)
        text_NT = text_NT + noise * torch.randn(text_NT.shape, generator=generator)
        present = None
        if gaps:
            present = Present(torch.arange(count) % 5 != 2, torch.arange(count) % 5 != 1)
            image_NI[~present.image_N] = 1e3
            text_NT[~present.text_N] = 1e3
        return Pairs(
            np.array([f"item-{n}" for n in range(count)], dtype=object),
            image_NI,
            text_NT,
            label_N,
            np.array(["train", "val", "test"], dtype=object)[np.arange(count) % 3],
            torch.arange(count)[:, None].expand(-1, 3),
            present,
        )

    return build


@pytest.fixture
def write_artifacts(tmp_path):
    """Write what `index_items` reads: twelve items of three classes, a group for every two."""

    def build(
        *,
        images=range(12),
        texts=range(12),
        splits=("train", "train", "val", "test"),
        require="both",
    ):
        ids = [f"item-{n}" for n in range(12)]
        paths = [["bags<big", "bags<small", "hats"][n % 3] for n in range(12)]
        place = {
            name: tmp_path / name
            for name in ("items", "splits", "groups", "classes", "image_features", "text_features")
        }
        items = {
            "item_id": ids,
            "image": [f"{n}.png" for n in range(12)],
            "text": [f"thing {n}" for n in range(12)],
            "class_path": paths,
        }
        write_table(place["items"], pd.DataFrame(items))
        split = [splits[n % len(splits)] for n in range(12)]
        table = pd.DataFrame({"item_id": ids, "split": split})
        write_table(place["splits"], table, {REQUIRE: require})
        group = [n // 2 for n in range(12)]
        own = {name: range(12) for name in ("picture", "text", "near_text")}
        shared = {"item_id": ids, "group": group, "product": group, **own}
        write_table(place["groups"], pd.DataFrame(shared))
        write_json(place["classes"], make_classes(paths, separator="<", label="path"))
        # The item's number is its first feature; another view of it must not be taken for it.
        write_vectors(place["image_features"], "vector", ids, images, 6, views=2)
        write_vectors(place["text_features"], "glove", ids, texts, 4, views=1)
        return place

    def write_vectors(path, column, ids, numbers, dimension, views):
        numbers = np.repeat(list(numbers), views).astype(np.int64)
        view = np.tile(np.arange(views), len(numbers) // views)
        vector_RF = np.zeros((len(numbers), dimension), np.float32)
        vector_RF[:, 0] = numbers + 100 * view
        columns = {"item_id": pa.array([ids[n] for n in numbers], pa.string())}
        if views > 1:
            columns["view"] = pa.array(view, pa.int8())
        columns[column] = vector_array(vector_RF)
        pq.write_table(pa.table(columns), path)

    return build


@pytest.fixture
def numbered_pictures(tmp_path):
    """A folder with 0.png to 11.png."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        Image.new("RGB", (20 + number, 16), (20 * number, 90, 90)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def make_model():
    """Build a small model with weights from a seed; keywords change its configuration."""

    def build(*, seed: int = 0, **changed) -> Towers:
        torch.manual_seed(seed)
        return Towers(TowersConfig(**{**CONFIG, **changed})).eval()

    return build


@pytest.fixture
def unit():
    """Build unit vectors in the plane from angles in degrees."""

    def build(*degrees: float) -> torch.Tensor:
        radians = torch.tensor(degrees).deg2rad()
        return functional.normalize(torch.stack([radians.cos(), radians.sin()], dim=1), dim=1)

    return build


@pytest.fixture
def params_with(tmp_path):
    """Copy the shipped params.yaml with one change: a dotted key and YAML text, or None to cut."""

    def write(key: str, text: str | None) -> Path:
        yaml = YAML()
        params = yaml.load(SHIPPED)
        *sections, last = key.split(".")
        node = params
        for section in sections:
            node = node[section]
        if text is None:
            del node[last]
        else:
            node[last] = YAML().load(text)
        path = tmp_path / "params.yaml"
        yaml.dump(params, path)
        return path

    return write


@pytest.fixture(scope="session")
def huse(finished_project):
    """The trained model of the sample, as a user loads it."""
    from huse import Huse

    return Huse.load(finished_project.root / "data" / "model")


@pytest.fixture(scope="session")
def picture_folder(finished_project):
    """The pictures of the sample."""
    return finished_project.root / "data" / "raw" / "openmoji" / "images"


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory):
    """Name of a CLIP of 8 dimensions with random weights: architecture/file of weights."""
    import open_clip

    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-test.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(folder / "tiny-test.json")
    torch.manual_seed(0)
    model = open_clip.create_model("tiny-test", pretrained=None)
    torch.save(model.state_dict(), folder / "weights.pt")
    return f"tiny-test/{folder}/weights.pt"


@pytest.fixture(scope="session")
def published_clip(tmp_path_factory):
    """Folder of the same, with the same weights, as open_clip publishes models."""
    folder = tmp_path_factory.mktemp("published_clip")
    write_published_clip(folder)
    return folder


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """A cache of the Hugging Face hub; gives what puts a folder into it under a name."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(name: str, folder: Path) -> Path:
        kept = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        shutil.copytree(folder, kept / "snapshots" / HUB_COMMIT)
        (kept / "refs").mkdir()
        (kept / "refs" / "main").write_text(HUB_COMMIT)
        return kept / "snapshots" / HUB_COMMIT

    return put


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; it notes what the page says and what it loads."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium here: apt-get install chromium chromium-driver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument("--window-size=1280,1000")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()
