from types import SimpleNamespace

import pytest
import torch
from torch import nn

from pipeline.dataset.pairs import Pairs
from pipeline.errors import InputError
from pipeline.models.huse import HuseOutput
from pipeline.training.validate import validate


class Given(nn.Module):
    """Passes features on as embeddings, and logits of its own."""

    def __init__(self, image_logits, text_logits, fused_logits=None):
        super().__init__()
        self.config = SimpleNamespace(fusion="late" if fused_logits is None else "concat")
        self.logits = (image_logits, text_logits, fused_logits)

    def forward(self, image_BI, text_BT):
        return HuseOutput(image_BI, text_BT, *self.logits)


def items(image_ND, text_ND, *labels):
    names = [f"item-{n}" for n in range(len(labels))]
    return Pairs(names, image_ND, text_ND, torch.tensor(labels), ["val"] * len(labels))


def test_values_worked_by_hand(unit):
    # Images of class 0 at 0 and 10 degrees, of class 1 at 100; texts of class 0 at 20 and 96
    # degrees, of class 1 at 91. The nearest:
    #   image to image: 0 -> 10 hit, 10 -> 0 hit, 100 -> 10 miss                     2/3
    #   image to text: 0 -> 20 hit, 10 -> 20 hit, 100 -> 96 miss                     2/3
    #   text to image: 20 -> 10 hit, 96 -> 100 miss, 91 -> 100 hit                   2/3
    #   text to text: 20 -> 91 miss, 96 -> 91 miss, 91 -> 96 miss                    0
    pairs = items(unit(0, 10, 100), unit(20, 96, 91), 0, 0, 1)
    image_logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    text_logits = torch.tensor([[0.0, 1.0], [3.0, 0.0], [1.0, 0.0]])
    metrics = validate(Given(image_logits, text_logits), pairs)
    assert metrics["r_at_1"] == pytest.approx((2 / 3 + 2 / 3 + 2 / 3 + 0) / 4)
    assert metrics["accuracy_image"] == pytest.approx(2 / 3)
    assert metrics["accuracy_text"] == pytest.approx(1 / 3)
    # A text that is wrong two times in three gets no weight, however sure it is.
    assert metrics["accuracy_fused"] == pytest.approx(2 / 3)
    assert metrics["score"] == pytest.approx((metrics["r_at_1"] + 2 / 3) / 2)


def test_one_prediction_from_both_is_taken_as_it_is(unit):
    pairs = items(unit(0, 10, 100), unit(20, 96, 91), 0, 0, 1)
    right = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert validate(Given(right, right, 1 - right), pairs)["accuracy_fused"] == 0.0


def test_perfect_embeddings_score_one(unit):
    pairs = items(unit(0, 1, 90, 91), unit(0, 1, 90, 91), 0, 0, 1, 1)
    logits = torch.tensor([[1.0, 0.0]] * 2 + [[0.0, 1.0]] * 2)
    assert set(validate(Given(logits, logits), pairs).values()) == {1.0}


def test_dropout_is_off_and_the_model_is_left_so(make_model, make_pairs):
    model, pairs = make_model(dropout=0.9).train(), make_pairs(60)
    assert validate(model, pairs) == validate(model, pairs)
    assert not model.training


def test_the_first_of_many_items_are_used(make_model, make_pairs, monkeypatch):
    monkeypatch.setattr("pipeline.training.validate.MAX_ITEMS", 40)
    pairs, model = make_pairs(60), make_model()
    first = Pairs(*(part[:40] for part in vars(pairs).values()))
    assert validate(model, pairs) == validate(model, first)
    assert validate(model, pairs) != validate(model, Pairs(*(p[20:] for p in vars(pairs).values())))


def test_embeddings_that_are_not_finite_name_the_learning_rate(unit):
    pairs = items(unit(0, 10), torch.full((2, 2), torch.nan), 0, 1)
    with pytest.raises(InputError, match=r"not finite; lower train\.lr"):
        validate(Given(torch.eye(2), torch.eye(2)), pairs)


def test_several_labels_count_by_their_share_in_the_top(unit):
    # Classes have the labels (0, 1, 2) and (2, 3, 4) of five.
    membership = torch.tensor([[1.0, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
    pairs = items(unit(0, 90), unit(0, 90), 0, 1)
    image_logits = torch.tensor([[9.0, 8, 7, 0, 0], [9, 8, 7, 0, 0]])
    text_logits = torch.tensor([[0.0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])
    metrics = validate(Given(image_logits, text_logits), pairs, membership)
    # All three and one of three; one of three and all three.
    assert metrics["accuracy_image"] == pytest.approx(2 / 3)
    assert metrics["accuracy_text"] == pytest.approx(2 / 3)
    # Sums of sigmoids: 1.50, 1.73, 1.88, 1.45, 1.48; the best three are 2, 1 and 0.
    assert metrics["accuracy_fused"] == pytest.approx(2 / 3)
