import torch

from pipeline.dataset.index import index_features
from pipeline.dataset.load import load_train_and_val
from pipeline.dataset.resident import ResidentItems
from pipeline.dataset.streamed import StreamedItems
from tests.feature_tables import write_tables

CPU = torch.device("cpu")


def test_what_fits_is_kept_and_what_does_not_is_streamed(tmp_path):
    index = index_features(**write_tables(tmp_path, 100, views=1))
    needed = index.only("train").nbytes
    fitting, val = load_train_and_val(index, CPU, needed)
    assert isinstance(fitting, ResidentItems)
    larger, same_val = load_train_and_val(index, CPU, needed - 1)
    assert isinstance(larger, StreamedItems)
    assert len(fitting) == len(larger) == 50
    assert torch.equal(val.image_NI, same_val.image_NI)


def test_validation_uses_clean_views_of_its_own_split(tmp_path):
    index = index_features(**write_tables(tmp_path, 12, views=1))
    _, val = load_train_and_val(index, CPU, 10**6)
    assert val.image_NI[:, 0].tolist() == [2, 6, 10]
