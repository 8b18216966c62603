import numpy as np
import pytest
import torch

from pipeline.features.joined import index_features
from pipeline.train.data.resident import ResidentItems
from tests.feature_tables import text_matrix, write_tables

CPU = torch.device("cpu")


@pytest.fixture
def items(tmp_path):
    return ResidentItems(index_features(**write_tables(tmp_path, 12, views=2)), CPU)


def test_without_a_draw_the_clean_view_is_taken(items):
    features = items.fetch(torch.tensor([7, 0, 7]), None)
    assert features.image_BI[:, 0].tolist() == [7, 0, 7]
    assert features.text_BT[:, 0].tolist() == [-7, 0, -7]


def test_a_draw_picks_one_of_the_views(items):
    # Of three views, shares below 1/3 are view 0, below 2/3 view 1.
    features = items.fetch(torch.tensor([4, 4, 5, 5]), torch.tensor([0.0, 0.34, 0.6, 0.99]))
    assert torch.allclose(features.image_BI[:, 0], torch.tensor([4.0, 4.1, 5.1, 5.2]))
    assert features.text_BT[:, 0].tolist() == [-4, -4, -5, -5]


def test_a_pass_has_every_item_once_in_an_order_of_the_seed(items):
    first, again, other = (
        items.shuffled(torch.Generator().manual_seed(seed)).tolist() for seed in (0, 0, 1)
    )
    assert sorted(first) == list(range(12))
    assert first == again != other


def test_standardisation_is_that_of_the_clean_views(items, make_model):
    model = make_model()
    items.standardise(model)
    # Items are numbered from 0 to 11.
    assert model.image_tower.mean_F[0].item() == 5.5
    assert model.text_tower.mean_F[0].item() == -5.5


def test_a_sparse_block_is_fetched_by_index(tmp_path):
    index = index_features(**write_tables(tmp_path, 12, words=9))
    items = ResidentItems(index, CPU)
    whole = text_matrix(index.text.read(index.text_row_N), 9)
    assert np.array_equal(whole, index.text.read_matrix(index.text_row_N).toarray())
    found = items.fetch(torch.tensor([7, 0, 7]), None).text_BT
    assert torch.equal(text_matrix(found, 9), whole[[7, 0, 7]])
