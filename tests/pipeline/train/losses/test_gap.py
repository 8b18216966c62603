import pytest
import torch

from pipeline.train.losses.gap import gap_loss


def test_mean_distance_of_matched_pairs_worked_by_hand():
    image = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    text = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    # distances 0, 1 and 2
    assert gap_loss(image, text).item() == pytest.approx(1.0)


def test_gradient_pulls_the_modalities_together():
    image = torch.tensor([[1.0, 0.0]], requires_grad=True)
    text = torch.tensor([[0.6, 0.8]])
    gap_loss(image, text).backward()
    assert image.grad.tolist()[0] == pytest.approx([-0.6, -0.8])


def test_unequal_batches_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) and text \(4, 3\)"):
        gap_loss(torch.ones(2, 3), torch.ones(4, 3))
