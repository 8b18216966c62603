import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.features.graph_file import SemanticGraph
from pipeline.features.joined import index_features
from pipeline.train.data.train_and_val import load_train_and_val
from pipeline.train.objective import objective_of
from tests.feature_tables import write_tables
from tests.shipped import shipped

PSI = functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(5)), dim=1)


@pytest.fixture
def make_items(tmp_path):
    """Write a catalogue, half of it for training, and load it; `max_bytes` decides how."""

    def build(count: int, *, max_bytes: int = 10**9, **changed):
        folder = tmp_path / f"tables-{count}-{max_bytes}"
        index = index_features(**write_tables(folder, count, **changed))
        return load_train_and_val(index, torch.device("cpu"), max_bytes, 0)

    return build


@pytest.fixture
def on_circle():
    """Build unit vectors in the plane from angles in degrees."""

    def build(*degrees: float) -> torch.Tensor:
        radians = torch.tensor(degrees, dtype=torch.float64) * math.pi / 180
        return torch.stack([radians.cos(), radians.sin()], dim=1)

    return build


@pytest.fixture
def make_objective():
    """Build an objective over three classes by its name; keywords change section `loss`."""

    def build(name, *, kernel="reference", membership_KL=None, **changed):
        weights = {"alpha": 1.5, "beta": 2.0, "gamma": 0.5, "objective": name}
        loss = shipped("loss", **weights | changed)
        distance_KK = (1 - PSI @ PSI.T).numpy().astype(np.float32)
        graph = SemanticGraph(["a", "b", "c"], distance_KK, 3 * PSI.numpy())
        return objective_of(loss)(loss, shipped("machine", kernel=kernel), graph, membership_KL)

    return build
