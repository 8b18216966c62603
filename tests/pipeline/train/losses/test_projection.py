import pytest
import torch

from pipeline.train.losses.projection import projection_loss


def test_worked_by_hand(on_circle):
    # Class names at 0 and 90. Item 0 is of class 1: image at 30 (1 - cos 60 = 0.5), text at 90 (0).
    # Item 1 is of class 0: image at 180 (2), text at 60 (0.5).
    loss = projection_loss(on_circle(30, 180, 90, 60), on_circle(0, 90), torch.tensor([1, 0, 1, 0]))
    assert loss.item() == pytest.approx((0.5 + 0 + 2 + 0.5) / 2)


def test_gradient_pulls_towards_the_class_name(on_circle):
    both = on_circle(30, 180, 0, 0).requires_grad_()
    class_embedding, labels = on_circle(0, 90), torch.tensor([1, 0, 1, 0])
    projection_loss(both, class_embedding, labels).backward()
    assert torch.equal(both.grad, -class_embedding[labels] / 2)


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_without_a_class_name_is_refused(on_circle, label):
    with pytest.raises(ValueError, match=r"labels need to be in \[0, 2\)"):
        projection_loss(on_circle(0, 0), on_circle(0, 90), torch.tensor([0, label]))


def test_a_dimension_that_is_not_psis_is_refused(on_circle):
    with pytest.raises(ValueError, match="need one dimension, got 2 and 3"):
        projection_loss(on_circle(0), torch.eye(3), torch.tensor([0]))
