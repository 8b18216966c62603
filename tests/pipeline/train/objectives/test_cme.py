import pytest
import torch

from pipeline.train.objectives.cme import cme_loss


def test_worked_by_hand(on_circle):
    # Matched: d(0, 60) = 0.5 and d(90, 120) = 1 - cos 30 = 0.1339746, mean 0.3169873.
    # Unmatched: d(0, 120) = 1.5 is beyond the margin of 0.9 -> 0;
    #   d(90, 60) = 0.1339746 -> 0.7660254; mean 0.3830127.
    loss = cme_loss(on_circle(0, 90), on_circle(60, 120), margin=0.9)
    assert loss.item() == pytest.approx(0.3169873 + 0.3830127)


def test_equals_a_loop_over_pairs(on_circle):
    image = on_circle(0, 33, 70, 110, 200)
    text = on_circle(12, 48, 95, 85, 170)
    matched, unmatched = [], []
    for m, u in enumerate(image.tolist()):
        for n, v in enumerate(text.tolist()):
            d = 1 - u[0] * v[0] - u[1] * v[1]
            (matched if m == n else unmatched).append(d if m == n else max(0, 0.4 - d))
    expected = sum(matched) / len(matched) + sum(unmatched) / len(unmatched)
    assert cme_loss(image, text, margin=0.4).item() == pytest.approx(expected)


def test_one_item_is_its_distance(on_circle):
    assert cme_loss(on_circle(0), on_circle(60), margin=0.9).item() == pytest.approx(0.5)


def test_gradient_is_the_slope_of_the_loss(on_circle):
    image = on_circle(0, 33, 70, 110, 200).requires_grad_()
    text = on_circle(12, 48, 95, 85, 170).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda image, text: cme_loss(image, text, margin=0.4), (image, text)
    )


def test_unequal_batches_are_refused(on_circle):
    with pytest.raises(ValueError, match="same shape"):
        cme_loss(on_circle(0, 90), on_circle(60), margin=0.9)
