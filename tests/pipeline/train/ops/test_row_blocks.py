import pytest
import torch

from pipeline.train.ops import row_blocks
from pipeline.train.ops.row_blocks import mean_over_row_blocks


def squares_below_one(distance_RC, position_R):
    counted = distance_RC < 1
    return (distance_RC.square() * counted).sum(), counted.sum()


@pytest.mark.parametrize("rows", [1, 3, 4, 256])
def test_equals_the_whole_matrix_in_value_and_gradient(monkeypatch, make_case, rows):
    monkeypatch.setattr(row_blocks, "ROWS", rows)
    embedding = make_case(12, 5, 3, torch.float64).embedding.requires_grad_()
    first, second = slice(0, 4), slice(4, 12)
    loss = mean_over_row_blocks(embedding, [(first, second), (second, first)], squares_below_one)
    (gradient,) = torch.autograd.grad(2.0 * loss, embedding)

    distance = 1 - embedding[first] @ embedding[second].T
    kept = distance[distance < 1]
    expected = kept.square().mean()
    (expected_gradient,) = torch.autograd.grad(2.0 * expected, embedding)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradient, expected_gradient)


def test_rows_are_named_by_their_position_among_the_anchors(monkeypatch, make_case):
    monkeypatch.setattr(row_blocks, "ROWS", 3)
    seen = []

    def record(distance_RC, position_R):
        seen.append(position_R.tolist())
        return distance_RC.sum(), torch.tensor(1)

    mean_over_row_blocks(make_case(9, 2, 2).embedding, [(slice(2, 9), slice(0, 2))], record)
    assert seen == [[0, 1, 2], [3, 4, 5], [6]]


def test_no_term_gives_zero(make_case):
    embedding = make_case(4, 2, 2).embedding.requires_grad_()
    everything = slice(0, 4)

    def nothing(distance_RC, position_R):
        return (distance_RC * 0).sum(), torch.tensor(0)

    loss = mean_over_row_blocks(embedding, [(everything, everything)], nothing)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(embedding.grad, torch.zeros(4, 2))


def test_half_precision_and_autocast_are_computed_in_float32(make_case):
    embedding = make_case(12, 5, 3).embedding.bfloat16()
    sides = [(slice(0, 6), slice(6, 12))]
    expected = mean_over_row_blocks(embedding.float(), sides, squares_below_one)
    leaf = embedding.clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = mean_over_row_blocks(leaf, sides, squares_below_one)
    loss.backward()
    assert torch.equal(loss, expected)
    assert leaf.grad.dtype == torch.bfloat16
