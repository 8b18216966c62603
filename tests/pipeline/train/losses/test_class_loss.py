import math

import pytest
import torch

from pipeline.train.losses.class_loss import classification_loss, cross_entropy


def test_mean_over_all_embeddings_worked_by_hand():
    image_logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])
    text_logits = torch.tensor([[math.log(4.0), 0.0], [0.0, 0.0]])
    label = torch.tensor([0, 1])
    # probabilities of the true class: image 1/2 and 3/4, text 4/5 and 1/2
    expected = -(math.log(1 / 2) + math.log(3 / 4) + math.log(4 / 5) + math.log(1 / 2)) / 4
    assert classification_loss(image_logits, text_logits, label).item() == pytest.approx(expected)


def test_both_modalities_receive_a_gradient():
    image_logits = torch.zeros(3, 4, requires_grad=True)
    text_logits = torch.zeros(3, 4, requires_grad=True)
    classification_loss(image_logits, text_logits, torch.tensor([0, 1, 3])).backward()
    # d/d logits of a uniform softmax is (1/4 - 1[true class]) / 2B
    assert image_logits.grad[1].tolist() == pytest.approx([1 / 24, -3 / 24, 1 / 24, 1 / 24])
    assert torch.equal(image_logits.grad, text_logits.grad)


def test_several_labels_worked_by_hand():
    # sigmoid(log 3) = 3/4, sigmoid(0) = 1/2, sigmoid(-log 4) = 1/5.
    logits = torch.tensor([[math.log(3.0), 0.0, -math.log(4.0)], [0.0, 0.0, 0.0]])
    target = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    first = -math.log(3 / 4) - math.log(1 / 2) - math.log(4 / 5)
    second = -3 * math.log(1 / 2)
    assert cross_entropy(logits, target).item() == pytest.approx((first + second) / 2)
    both = classification_loss(logits, torch.zeros(2, 3), target).item()
    assert both == pytest.approx(((first + second) / 2 - 3 * math.log(1 / 2)) / 2)


def test_sure_and_wrong_labels_have_a_finite_loss_and_gradient():
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([[0.0, 1.0]]))
    loss.backward()
    assert loss.item() == pytest.approx(400.0)
    assert logits.grad.tolist() == [[1.0, -1.0]]
