import pytest
import torch

from pipeline.train.objectives.triplet import triplet_loss


def naive_triplet_loss(embedding, labels, margin):
    def d(m, n):
        return 1 - sum(a * b for a, b in zip(embedding[m], embedding[n], strict=True))

    terms = []
    for a in range(len(labels)):
        negatives = [d(a, n) for n in range(len(labels)) if labels[n] != labels[a]]
        for p in range(len(labels)):
            if p == a or labels[p] != labels[a] or not negatives:
                continue
            farther = [distance for distance in negatives if distance > d(a, p)]
            chosen = min(farther) if farther else max(negatives)
            terms.append(max(0.0, margin + d(a, p) - chosen))
    return sum(terms) / len(terms) if terms else 0.0


def test_worked_by_hand(on_circle):
    # Images at 0 and 90 degrees, texts at 60 and 180, classes 0 and 1. Distances:
    #   i0-t0 0.5, i1-t1 1, i0-i1 1, i0-t1 2, t0-i1 1 - cos 30 = 0.1339746, t0-t1 1.5
    # Anchor i0, positive t0 at 0.5: nearest farther negative i1 at 1 -> 0.6 + 0.5 - 1 = 0.1
    # Anchor t0, positive i0 at 0.5: i1 is nearer, so t1 at 1.5          -> 0
    # Anchor i1, positive t1 at 1: both i0 (1, not farther) and t0 are not farther, so the
    #   farthest, i0 at 1                                                -> 0.6
    # Anchor t1, positive i1 at 1: t0 at 1.5                             -> 0.1
    loss = triplet_loss(on_circle(0, 90, 60, 180), torch.tensor([0, 1, 0, 1]), margin=0.6)
    assert loss.item() == pytest.approx((0.1 + 0 + 0.6 + 0.1) / 4)


@pytest.mark.parametrize(
    "labels", [[0, 1, 0, 2, 1, 0, 2], [0, 1, 2, 3, 4, 5, 6], [0, 1, 1, 1, 1, 1, 1]]
)
@pytest.mark.parametrize("margin", [0.05, 0.3, 1.0])
def test_equals_loops_over_anchors_and_positives(on_circle, labels, margin):
    image = on_circle(0, 33, 70, 110, 200, 245, 301)
    text = on_circle(12, 48, 95, 85, 170, 260, 333)
    loss = triplet_loss(torch.cat([image, text]), torch.tensor(labels + labels), margin=margin)
    expected = naive_triplet_loss(image.tolist() + text.tolist(), labels + labels, margin)
    assert loss.item() == pytest.approx(expected)
    assert expected > 0


def test_a_negative_as_far_as_the_positive_is_not_semi_hard():
    # Images e1 and e3 (classes 0, 1), texts e2 and -e1. All distances are 1 but d(e1, -e1) = 2.
    #   e1 with e2, and -e1 with e3: the negative at 2 is chosen -> max(0, 0.5 + 1 - 2) = 0
    #   e2 with e1, and e3 with -e1: no negative is farther than 1 -> 0.5 + 1 - 1 = 0.5
    e1, e2, e3 = torch.eye(3)
    loss = triplet_loss(torch.stack([e1, e3, e2, -e1]), torch.tensor([0, 1, 0, 1]), margin=0.5)
    assert loss.item() == 0.25


def test_one_class_has_no_triplet(on_circle):
    both = on_circle(0, 33, 70, 5, 20, 80).requires_grad_()
    loss = triplet_loss(both, torch.tensor([4, 4, 4, 4, 4, 4]), margin=0.3)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(both.grad, torch.zeros_like(both))


def test_gradient_is_the_slope_of_the_loss(on_circle):
    both = on_circle(0, 33, 70, 110, 200, 12, 48, 95, 85, 170).requires_grad_()
    label = torch.tensor([0, 1, 0, 1, 2, 0, 1, 0, 1, 2])
    assert torch.autograd.gradcheck(lambda both: triplet_loss(both, label, margin=0.4), both)
