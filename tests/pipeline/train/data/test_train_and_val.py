import numpy as np
import pytest
import torch

from pipeline.features.joined import index_features
from pipeline.train.data.resident import ResidentItems
from pipeline.train.data.streamed import StreamedItems
from pipeline.train.data.train_and_val import load_train_and_val
from tests.feature_tables import write_tables

CPU = torch.device("cpu")


def test_what_fits_is_kept_and_what_does_not_is_streamed(tmp_path):
    index = index_features(**write_tables(tmp_path, 100, views=1))
    needed = index.only("train").nbytes
    fitting, val = load_train_and_val(index, CPU, needed, 0)
    assert isinstance(fitting, ResidentItems)
    larger, same_val = load_train_and_val(index, CPU, needed - 1, 0)
    assert isinstance(larger, StreamedItems)
    assert len(fitting) == len(larger) == 50
    assert torch.equal(val.image_NI, same_val.image_NI)


def test_validation_uses_clean_views_of_its_own_split(tmp_path):
    index = index_features(**write_tables(tmp_path, 12, views=1))
    _, val = load_train_and_val(index, CPU, 10**6, 0)
    assert val.image_NI[:, 0].tolist() == [2, 6, 10]


@pytest.mark.parametrize("max_bytes", [10**6, 3000])
def test_of_many_validation_items_a_fair_sample_is_read(tmp_path, monkeypatch, max_bytes):
    monkeypatch.setattr("pipeline.train.data.train_and_val.MAX_VAL_ITEMS", 20)
    index = index_features(**write_tables(tmp_path, 400))
    read = []
    original = type(index.image).read
    monkeypatch.setattr(
        type(index.image), "read", lambda self, rows: read.append(len(rows)) or original(self, rows)
    )

    def number(seed):
        return load_train_and_val(index, CPU, max_bytes, seed)[1].image_NI[:, 0].numpy()

    first = number(0)
    # No row of the others is read.
    assert read[-1] == 20
    assert len(first) == 20
    assert np.isin(first, np.arange(2, 400, 4)).all()
    assert np.array_equal(first, number(0))
    assert not np.array_equal(first, number(1))
    # Neither the beginning nor evenly spaced: what belongs together in the catalogue is no pattern.
    assert len(set(np.diff(first))) > 3
