import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch.nn import functional

from pipeline.core.json_file import write_json
from pipeline.core.table import write_table
from pipeline.core.vector_column import vector_array
from pipeline.evaluate.embed import Embedded
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
        return Embedded(embedding_ND, predicted_N, ones_N, predicted_N == label_N)

    return build


@pytest.fixture
def labels():
    """Draw class numbers."""

    def build(count: int, classes: int, seed: int = 0) -> torch.Tensor:
        return torch.from_numpy(np.random.default_rng(seed).integers(classes, size=count))

    return build


@pytest.fixture
def write_artifacts(tmp_path):
    """Write what `index_items` reads: twelve items of three classes, a group for every two."""

    def build(*, images=range(12), texts=range(12), splits=("train", "train", "val", "test")):
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
        write_table(place["splits"], pd.DataFrame({"item_id": ids, "split": split}))
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
def stored(make_model):
    """A model with random weights for those items."""
    classes = make_classes(["bags<big", "bags<small", "hats"], separator="<", label="path")
    fusion = Fusion(0.3, image_temperature=1.5, text_temperature=0.7, fused_temperature=1.0)
    return StoredModel(make_model(), fusion, classes, {"image": {}, "text": {}})


@pytest.fixture
def pictures(tmp_path):
    """A folder with 0.png to 11.png."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        Image.new("RGB", (20 + number, 16), (20 * number, 90, 90)).save(folder / f"{number}.png")
    return folder


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
