import math

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.model.towers import TowersOutput
from pipeline.train.losses.class_loss import classification_loss, cross_entropy, log_prior


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


def test_the_prior_of_a_class_is_its_share_of_the_training_items():
    # Counts and a half: 3.5, 0.5 and 5.5 of 9.5.
    prior = log_prior(torch.tensor([3, 0, 5]), 1.0)
    expected = [math.log(3.5 / 9.5), math.log(0.5 / 9.5), math.log(5.5 / 9.5)]
    assert prior.tolist() == pytest.approx(expected)
    assert log_prior(torch.tensor([3, 0, 5]), 0.5).tolist() == pytest.approx(
        [value / 2 for value in expected]
    )


MEMBERSHIP_KL = torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 0], [0, 1, 1, 1]])


def mean_of_both(output, label_B):
    return classification_loss(output.image_logits_BK, output.text_logits_BK, label_B).item()


@pytest.fixture
def output(unit):
    """A forward pass of two items with three classes, and of the names of two classes."""
    generator = torch.Generator().manual_seed(3)
    logits = [torch.randn(2, 3, generator=generator) for _ in range(3)]
    point = unit(10, 70)
    return TowersOutput(point, point, *logits[:2], None, logits[2], torch.tensor([2, 0]))


def test_class_names_are_classified_with_their_own_weight(make_objective, output):
    label_B = torch.tensor([1, 2])
    plain = mean_of_both(output, label_B)
    names = cross_entropy(output.name_logits_MK, torch.tensor([2, 0])).item()
    objective = make_objective("huse", names=0.7)
    assert objective.class_loss(output, label_B).item() == pytest.approx(plain + 0.7 * names)
    without = output._replace(name_logits_MK=None, name_class_M=None)
    assert objective.class_loss(without, label_B).item() == pytest.approx(plain)


def test_names_of_items_with_several_labels_have_these_labels(make_objective, output):
    objective = make_objective("huse", names=1.0, membership_KL=MEMBERSHIP_KL)
    four = [torch.cat([t, t[:, :1]], dim=1) for t in (*output[2:4], output.name_logits_MK)]
    output = output._replace(
        image_logits_BK=four[0], text_logits_BK=four[1], name_logits_MK=four[2]
    )
    label_B = torch.tensor([1, 2])
    alone = objective.class_loss(output._replace(name_logits_MK=None, name_class_M=None), label_B)
    names = several_labels(four[2], MEMBERSHIP_KL[[2, 0]])
    assert objective.class_loss(output, label_B).item() == pytest.approx(alone.item() + names)


def several_labels(logits_BL, target_BL):
    probability_BL = logits_BL.sigmoid()
    likelihood_BL = torch.where(target_BL > 0, probability_BL, 1 - probability_BL)
    return -likelihood_BL.log().sum(dim=1).mean().item()


def test_both_modalities_can_be_classified_together(make_objective, output):
    label_B = torch.tensor([1, 2])
    apart = make_objective("huse", names=0.0, joint=0.0).class_loss(output, label_B).item()
    both = cross_entropy(output.image_logits_BK + output.text_logits_BK, label_B).item()
    found = make_objective("huse", names=0.0, joint=0.4).class_loss(output, label_B).item()
    assert found == pytest.approx(apart + 0.4 * both)


def test_adjusted_logits_favour_rare_classes(make_objective, output):
    label_B = torch.tensor([1, 2])
    count_K = torch.tensor([90, 9, 1])
    adjusted = make_objective("huse", names=0.0, logit_adjustment=1.0, count_K=count_K)
    prior_K = torch.log((count_K + 0.5) / 101.5)
    expected = mean_of_both(
        output._replace(
            image_logits_BK=output.image_logits_BK + prior_K,
            text_logits_BK=output.text_logits_BK + prior_K,
        ),
        label_B,
    )
    assert adjusted.class_loss(output, label_B).item() == pytest.approx(expected, rel=1e-5)
    with pytest.raises(InputError, match=r"loss\.logit_adjustment: .*catalog\.label"):
        make_objective("huse", logit_adjustment=1.0, count_K=count_K, membership_KL=MEMBERSHIP_KL)
