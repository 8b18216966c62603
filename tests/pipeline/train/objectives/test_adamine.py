import pytest
import torch

from pipeline.train.objectives.adamine import adamine_loss


def naive_adamine_loss(image, text, labels, margin, class_weight):
    def d(u, v):
        return 1 - sum(a * b for a, b in zip(u, v, strict=True))

    instance, semantic = [], []
    everyone = range(len(labels))
    for anchors, others in ((image, text), (text, image)):
        for a in everyone:
            for p in everyone:
                for n in everyone:
                    violation = margin + d(anchors[a], others[p]) - d(anchors[a], others[n])
                    if violation <= 0:
                        continue
                    if p == a and n != a:
                        instance.append(violation)
                    if p != a and labels[p] == labels[a] != labels[n]:
                        semantic.append(violation)
    means = [sum(terms) / len(terms) if terms else 0.0 for terms in (instance, semantic)]
    return means[0] + class_weight * means[1]


def test_instance_level_worked_by_hand(on_circle):
    # Two items of two classes, so there is no positive at the class level. Distances:
    #   i0-t0 0.5, i0-t1 1.5, i1-t0 1 - cos 30 = 0.1339746, i1-t1 0.1339746
    # with images at 0 and 90, texts at 60 and 120. Margin 0.3:
    #   i0: 0.3 + 0.5 - 1.5 < 0;           i1: 0.3 + 0.1339746 - 0.1339746 = 0.3
    #   t0: 0.3 + 0.5 - 0.1339746 = 0.6660254;  t1: 0.3 + 0.1339746 - 1.5 < 0
    # Two triplets violate.
    loss = adamine_loss(
        on_circle(0, 90), on_circle(60, 120), torch.tensor([0, 1]), margin=0.3, class_weight=7.0
    )
    assert loss.item() == pytest.approx((0.3 + 0.6660254) / 2)


@pytest.mark.parametrize("labels", [[0, 1, 0, 2, 1, 0], [0, 1, 2, 3, 4, 5], [0, 1, 1, 1, 1, 1]])
@pytest.mark.parametrize("margin", [0.05, 0.3, 1.0])
def test_equals_loops_over_triplets(on_circle, labels, margin):
    image = on_circle(0, 33, 70, 110, 200, 245)
    text = on_circle(12, 48, 95, 85, 170, 260)
    loss = adamine_loss(image, text, torch.tensor(labels), margin=margin, class_weight=0.3)
    expected = naive_adamine_loss(image.tolist(), text.tolist(), labels, margin, 0.3)
    assert loss.item() == pytest.approx(expected)
    assert expected > 0


def test_a_triplet_exactly_at_the_margin_does_not_count():
    # For images 0 and 1, own class at distance 0 and the other class at 1, with margin 1.
    image = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]], dtype=torch.float64)
    text = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    label = torch.tensor([0, 0, 1])
    loss = adamine_loss(image, text, label, margin=1.0, class_weight=1.0)
    expected = naive_adamine_loss(image.tolist(), text.tolist(), label.tolist(), 1.0, 1.0)
    assert loss.item() == pytest.approx(expected)


def test_one_class_has_the_instance_level_alone(on_circle):
    image, text, label = on_circle(0, 33, 70), on_circle(5, 20, 80), torch.tensor([4, 4, 4])
    for class_weight in (0.0, 5.0):
        loss = adamine_loss(image, text, label, margin=0.3, class_weight=class_weight)
        expected = naive_adamine_loss(image.tolist(), text.tolist(), [4, 4, 4], 0.3, 0.0)
        assert loss.item() == pytest.approx(expected)


def test_no_violation_gives_zero_and_no_gradient(on_circle):
    image = on_circle(0, 180).requires_grad_()
    loss = adamine_loss(
        image, on_circle(0, 180), torch.tensor([0, 1]), margin=0.3, class_weight=0.3
    )
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(image.grad, torch.zeros_like(image))


def test_gradient_is_the_slope_of_the_loss(on_circle):
    image = on_circle(0, 33, 70, 110, 200).requires_grad_()
    text = on_circle(12, 48, 95, 85, 170).requires_grad_()
    label = torch.tensor([0, 1, 0, 1, 2])
    assert torch.autograd.gradcheck(
        lambda image, text: adamine_loss(image, text, label, margin=0.4, class_weight=0.3),
        (image, text),
    )
