import pytest
import torch

from pipeline.features.joined import index_features
from pipeline.train.data.load import load_train_and_val
from tests.feature_tables import write_tables


@pytest.fixture
def make_items(tmp_path):
    """Write a catalogue, half of it for training, and load it; `max_bytes` decides how."""

    def build(count: int, *, max_bytes: int = 10**9, **changed):
        folder = tmp_path / f"tables-{count}-{max_bytes}"
        index = index_features(**write_tables(folder, count, **changed))
        return load_train_and_val(index, torch.device("cpu"), max_bytes, 0)

    return build
