import pytest
import torch

from pipeline.train.ops.gradient_in_forward import with_gradient_in_forward


def half_square(embedding, with_gradient):
    loss = embedding.square().sum() / 2
    return loss, embedding.clone() if with_gradient else None


def test_backward_is_the_kernels_gradient_times_the_upstream_one():
    x = torch.tensor([[1.0, -2.0], [3.0, 0.5]], requires_grad=True)
    loss = with_gradient_in_forward(3 * x, half_square)
    assert loss.item() == 9 * (1 + 4 + 9 + 0.25) / 2
    (2.0 * loss).backward()
    # 2 (upstream) * 3x (the kernel's gradient) * 3 (the factor of x)
    assert torch.equal(x.grad, 18 * x.detach())


def test_backward_twice_over_a_kept_graph_gives_the_same_gradient():
    x = torch.tensor([[1.0, -2.0]], requires_grad=True)
    loss = with_gradient_in_forward(x, half_square)
    (first,) = torch.autograd.grad(2.0 * loss, x, retain_graph=True)
    (second,) = torch.autograd.grad(2.0 * loss, x)
    assert torch.equal(first, second)


def test_a_second_derivative_is_refused():
    x = torch.ones(2, 2, requires_grad=True)
    loss = with_gradient_in_forward(x, half_square)
    (gradient,) = torch.autograd.grad(loss * loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("requires_grad", [True, False])
def test_the_gradient_is_not_computed_where_nobody_wants_it(requires_grad):
    def value_only(embedding, with_gradient):
        assert not with_gradient
        return embedding.sum(), None

    x = torch.ones(2, 2, requires_grad=requires_grad)
    with torch.set_grad_enabled(not requires_grad):
        loss = with_gradient_in_forward(x, value_only)
    assert loss.item() == 4
    assert not loss.requires_grad
