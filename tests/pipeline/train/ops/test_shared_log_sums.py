import pytest
import torch

from pipeline.train.ops import shared_log_sums as module
from pipeline.train.ops.shared_log_sums import shared_log_sums
from pipeline.train.world import World


def whole(embedding, temperature):
    similarity = embedding @ embedding.T / temperature
    others = similarity[~torch.eye(len(embedding), dtype=torch.bool)].view(len(embedding), -1)
    return others.logsumexp(dim=1)


@pytest.mark.parametrize("temperature", [0.05, 1.0])
@pytest.mark.parametrize(("dtype", "digits"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
def test_each_process_has_its_rows_of_the_gradient_of_any_loss(
    make_case, monkeypatch, temperature, dtype, digits
):
    leaf = make_case(12, 5, 3, dtype).embedding.requires_grad_()
    log_sum = whole(leaf, temperature)
    upstream = torch.randn(12, generator=torch.Generator().manual_seed(1)).to(dtype)
    (gradient,) = torch.autograd.grad(log_sum, leaf, upstream)
    for rank, own in enumerate([[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]):

        def gather(part, count, world, own=own):
            torch.testing.assert_close(part, log_sum[own].detach(), rtol=digits, atol=digits)
            return log_sum.detach().clone()

        monkeypatch.setattr(module, "gather_rows", gather)
        found = shared_log_sums(leaf, temperature, World(rank, 3))
        assert torch.equal(found, log_sum)
        (by_rank,) = torch.autograd.grad(found, leaf, upstream)
        expected = torch.zeros_like(gradient).index_copy_(0, torch.tensor(own), gradient[own])
        scale = gradient.abs().max().item()
        torch.testing.assert_close(by_rank, expected, rtol=0, atol=digits * scale)


def test_only_own_rows_are_compared_with_the_others(make_case, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        module, "gather_rows", lambda part, count, world: sizes.append(len(part)) or torch.ones(12)
    )
    shared_log_sums(make_case(12, 5, 3).embedding, 0.1, World(1, 3))
    assert sizes == [4]
