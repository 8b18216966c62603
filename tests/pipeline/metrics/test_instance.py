import pytest
import torch

from pipeline.metrics.instance import instance_rank
from pipeline.metrics.retrieval import nearest


def test_ranks_worked_by_hand():
    # Query (1, 0): similarities 0.6, 1, 0.8, 0: order 1 2 0 3. Query (0, 1): 0.8, 0, 0.6, 1:
    # order 3 0 2 1.
    query = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    gallery = torch.tensor([[0.6, 0.8], [1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    assert instance_rank(query, gallery, torch.tensor([1, 1, 0])).tolist() == [1, 4, 3]


def test_ties_go_to_the_lower_index():
    gallery = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    query = torch.tensor([[1.0, 0.0]] * 4)
    assert instance_rank(query, gallery, torch.arange(4)).tolist() == [4, 1, 2, 3]


def test_collapsed_space_is_no_better_than_chance():
    point = torch.ones(9, 4) / 2
    assert instance_rank(point, point, torch.arange(9)).tolist() == list(range(1, 10))


def test_own_score_comes_from_the_same_product_as_the_others():
    # Every item stands twice. A reference score that was rounded differently would put the first
    # copy behind the second for some of the rows.
    generator = torch.Generator().manual_seed(0)
    half = torch.nn.functional.normalize(torch.randn(400, 512, generator=generator))
    both = torch.cat((half, half))
    assert instance_rank(half, both, torch.arange(400)).tolist() == [1] * 400
    assert instance_rank(half, both, torch.arange(400) + 400).tolist() == [2] * 400


def test_rank_is_the_place_among_the_nearest():
    generator = torch.Generator().manual_seed(4)
    query = torch.randint(-2, 3, (300, 3), generator=generator).float()
    gallery = torch.randint(-2, 3, (90, 3), generator=generator).float()
    own = torch.randint(0, 90, (300,), generator=generator)
    place = (nearest(query, gallery, 90).indices == own[:, None]).int().argmax(1) + 1
    assert torch.equal(instance_rank(query, gallery, own), place)


@pytest.mark.parametrize("own", [torch.tensor([0, 3]), torch.tensor([-1, 0]), torch.tensor([0])])
def test_misuse_is_named(own):
    with pytest.raises(ValueError, match=r"own must be \[2\] with values in 0\.\.2"):
        instance_rank(torch.eye(2, 3), torch.eye(3), own)
