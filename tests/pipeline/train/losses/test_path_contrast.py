import math

import pytest
import torch

from pipeline.train.losses.path_contrast import path_contrast

# Classes 0 and 1 share the first level; class 2 shares it with nobody; the last level is the class.
LEVEL_KL = torch.tensor([[0, 0], [0, 1], [1, 2]])


def naive_path_contrast(embedding, labels, level_KL, temperature):
    count, levels = len(labels), len(level_KL[0])
    total = 0.0
    for level in range(levels):
        prefix = [level_KL[label][level] for label in labels]
        for a in range(count):
            others = [n for n in range(count) if n != a]
            similarity = {
                n: sum(x * y for x, y in zip(embedding[a], embedding[n], strict=True)) / temperature
                for n in others
            }
            positives = [n for n in others if prefix[n] == prefix[a]]
            if not positives:
                continue
            log_sum = math.log(sum(math.exp(s) for s in similarity.values()))
            mean = sum(similarity[p] - log_sum for p in positives) / len(positives)
            total -= (level + 1) * mean / count
    return total / sum(range(1, levels + 1))


def test_worked_by_hand(on_circle):
    # Angles 0, 60 and 90 of classes 0, 0 and 1; temperature 1. Similarities 01 0.5, 02 0,
    # 12 0.8660254; log sums: 0: log(e^0.5 + 1) = 0.9740770, 1: log(e^0.5 + e^0.8660254) =
    # 1.3928140, 2: log(1 + e^0.8660254) = 1.2171188
    # Level 1 (weight 1/3), all are positives: 0: 0.9740770 - 0.25, 1: 1.3928140 - 0.6830127,
    #   2: 1.2171188 - 0.4330127; mean 0.7393281
    # Level 2 (weight 2/3), 0 and 1 are: 0: 0.4740770, 1: 0.8928140, 2: 0; mean 0.4556303
    loss = path_contrast(on_circle(0, 60, 90), torch.tensor([0, 0, 1]), LEVEL_KL, temperature=1.0)
    assert loss.item() == pytest.approx(0.7393281 / 3 + 2 * 0.4556303 / 3, abs=1e-6)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
@pytest.mark.parametrize(
    "labels", [[0, 1, 2, 0, 1, 2, 2], [0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 2, 1]]
)
def test_equals_loops_over_anchors(on_circle, labels, temperature):
    embedding = on_circle(0, 20, 75, 130, 200, 290, 300)
    found = path_contrast(embedding, torch.tensor(labels), LEVEL_KL, temperature=temperature)
    expected = naive_path_contrast(embedding.tolist(), labels, LEVEL_KL.tolist(), temperature)
    assert found.item() == pytest.approx(expected, rel=1e-9)


def test_gradient_is_the_slope_of_the_loss(on_circle):
    embedding = on_circle(0, 20, 75, 130, 200).requires_grad_()
    label = torch.tensor([0, 0, 1, 2, 1])
    assert torch.autograd.gradcheck(
        lambda x: path_contrast(x, label, LEVEL_KL, temperature=0.3), embedding
    )


@pytest.mark.parametrize("labels", [[0, 2], [1]])
def test_no_positive_pair_gives_zero_and_no_gradient(on_circle, labels):
    embedding = on_circle(*[40.0 * n for n in range(len(labels))]).requires_grad_()
    loss = path_contrast(embedding, torch.tensor(labels), LEVEL_KL, temperature=0.1)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(embedding.grad, torch.zeros_like(embedding))


def test_half_precision_is_widened(make_case):
    case = make_case(12, 8, 3)
    exact = path_contrast(case.embedding, case.label, LEVEL_KL, temperature=0.1)
    rounded = path_contrast(case.embedding.bfloat16(), case.label, LEVEL_KL, temperature=0.1)
    assert rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(exact.item(), rel=0.02)


def test_a_wrong_label_is_refused(on_circle):
    with pytest.raises(ValueError, match=r"labels need to be in \[0, 3\)"):
        path_contrast(on_circle(0, 1), torch.tensor([0, 3]), LEVEL_KL, temperature=0.1)
