from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.features.pairs import Pairs
from pipeline.features.present import Present
from pipeline.model.towers import TowersOutput
from pipeline.train.validate import validate


class Given(nn.Module):
    """Takes features apart into what they say an embedding is, in the plane, and logits."""

    def __init__(self, classes, fusion="late"):
        super().__init__()
        self.config = SimpleNamespace(fusion=fusion, num_classes=classes)

    def forward(self, image_BI, text_BT, present=None):
        image_BD, image_BK = image_BI[:, :2], image_BI[:, 2:]
        text_BD, text_BK = text_BT[:, :2], text_BT[:, 2:]
        both_BK = 1 - image_BK if self.config.fusion == "concat" else None
        return TowersOutput(image_BD, text_BD, image_BK, text_BK, both_BK, present=present)


def items(image_ND, text_ND, image_NK, text_NK, labels, shared=None):
    count = len(labels)
    return Pairs(
        np.array([f"item-{n}" for n in range(count)], dtype=object),
        torch.cat([image_ND, image_NK], dim=1),
        torch.cat([text_ND, text_NK], dim=1),
        torch.tensor(labels),
        np.array(["val"] * count, dtype=object),
        torch.arange(count)[:, None].expand(-1, 3) if shared is None else torch.tensor(shared),
    )


def test_values_worked_by_hand(unit):
    # Images of class 0 at 0 and 10 degrees, of class 1 at 100; texts of class 0 at 20 and 96
    # degrees, of class 1 at 91. The nearest:
    #   image to image: 0 -> 10 hit, 10 -> 0 hit                                     2/2
    #   image to text: 0 -> 20 hit, 10 -> 20 hit, 100 -> 96 miss                     2/3
    #   text to image: 20 -> 10 hit, 96 -> 100 miss, 91 -> 100 hit                   2/3
    #   text to text: 20 -> 91 miss, 96 -> 91 miss                                   0
    image_logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    text_logits = torch.tensor([[0.0, 1.0], [3.0, 0.0], [1.0, 0.0]])
    pairs = items(unit(0, 10, 100), unit(20, 96, 91), image_logits, text_logits, [0, 0, 1])
    metrics = validate(Given(2), pairs)
    # Within a modality nothing can be right for the only item of class 1: it is no query there.
    assert metrics["r_at_1"] == pytest.approx((2 / 2 + 2 / 3 + 2 / 3 + 0) / 4)
    assert metrics["accuracy_image"] == pytest.approx(2 / 3)
    assert metrics["accuracy_text"] == pytest.approx(1 / 3)
    # A text that is wrong two times in three gets no weight, however sure it is.
    assert metrics["accuracy_fused"] == pytest.approx(2 / 3)
    assert metrics["score"] == pytest.approx((metrics["r_at_1"] + 2 / 3) / 2)


def test_one_prediction_from_both_is_taken_as_it_is(unit):
    right = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    pairs = items(unit(0, 10, 100), unit(20, 96, 91), right, right, [0, 0, 1])
    assert validate(Given(2, "concat"), pairs)["accuracy_fused"] == 0.0


def test_perfect_embeddings_score_one(unit):
    logits = torch.tensor([[1.0, 0.0]] * 2 + [[0.0, 1.0]] * 2)
    pairs = items(unit(0, 1, 90, 91), unit(0, 1, 90, 91), logits, logits, [0, 0, 1, 1])
    assert set(validate(Given(2), pairs).values()) == {1.0}


ALONE = list(range(6))
PAIR = [0, 0, 2, 3, 4, 5]
CLASS_0 = [0, 0, 0, 3, 4, 5]
ALL_CLASSES = [0, 0, 0, 3, 4, 4]


@pytest.mark.parametrize(
    ("product", "picture", "text", "image_to_image", "text_to_text"),
    [
        # 0 and 1 find each other, as do 100 and 101; 50 finds 20. Nothing is right for 20.
        (ALONE, ALONE, ALONE, 4 / 5, 4 / 5),
        # 0 and 1 may not find each other: they find 20.
        (PAIR, ALONE, ALONE, 2 / 5, 2 / 5),
        # An image is not told that the texts are the same, nor a text that the pictures are.
        (ALONE, PAIR, ALONE, 2 / 5, 4 / 5),
        (ALONE, ALONE, PAIR, 4 / 5, 2 / 5),
        # Nothing is left that could be right for class 0, or for any: no query, no direction.
        (CLASS_0, ALONE, ALONE, 2 / 2, 2 / 2),
        (ALL_CLASSES, ALONE, ALONE, None, None),
    ],
)
def test_what_would_be_worthless_is_not_found(
    unit, product, picture, text, image_to_image, text_to_text
):
    angles, labels = unit(0, 1, 50, 20, 100, 101), [0, 0, 0, 2, 1, 1]
    logits = torch.eye(3)[labels]
    shared = list(zip(product, picture, text, strict=True))
    metrics = validate(Given(3), items(angles, angles, logits, logits, labels, shared))
    within = [recall for recall in (image_to_image, text_to_text) if recall is not None]
    # Across the modalities every item finds its own counterpart.
    assert metrics["r_at_1"] == pytest.approx((sum(within) + 2) / (len(within) + 2))


def test_dropout_is_off_and_the_model_is_left_so(make_model, make_pairs):
    model, pairs = make_model(dropout=0.9).train(), make_pairs(60)
    assert validate(model, pairs) == validate(model, pairs)
    assert not model.training


def test_the_fusion_is_fitted_on_items_of_all_classes(monkeypatch):
    # 300 items of class 0, then 300 of class 1, and a model that is right of the first alone.
    labels = [0] * 300 + [1] * 300
    right = 4 * torch.eye(2)[labels]
    wrong = right.clone()
    wrong[300:] = -wrong[300:]
    point = torch.nn.functional.normalize(torch.ones(600, 2), dim=1)
    monkeypatch.setattr("pipeline.train.validate.FIT_LOGITS", 2 * 300)
    metrics = validate(Given(2), items(point, point, wrong, right, labels))
    # The first 300 items cannot tell the modalities apart; a sample of all can.
    assert metrics["accuracy_image"] == 0.5
    assert metrics["accuracy_fused"] == 1.0


def test_blocks_of_items_change_nothing(make_model, make_pairs, monkeypatch):
    model, pairs = make_model(), make_pairs(60)
    whole = validate(model, pairs)
    monkeypatch.setattr("pipeline.train.calibrate.BLOCK_LOGITS", 3 * 7)
    assert validate(model, pairs) == pytest.approx(whole, abs=1e-6)


def test_several_labels_count_by_their_share_in_the_top(unit):
    # Classes have the labels (0, 1, 2) and (2, 3, 4) of five.
    membership = torch.tensor([[1.0, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
    image_logits = torch.tensor([[9.0, 8, 7, 0, 0], [9, 8, 7, 0, 0]])
    text_logits = torch.tensor([[0.0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])
    pairs = items(unit(0, 90), unit(0, 90), image_logits, text_logits, [0, 1])
    metrics = validate(Given(5), pairs, membership)
    # All three and one of three; one of three and all three.
    assert metrics["accuracy_image"] == pytest.approx(2 / 3)
    assert metrics["accuracy_text"] == pytest.approx(2 / 3)
    # Sums of sigmoids: 1.50, 1.73, 1.88, 1.45, 1.48; the best three are 2, 1 and 0.
    assert metrics["accuracy_fused"] == pytest.approx(2 / 3)


def test_items_that_lack_something_are_judged_by_what_they_have(unit):
    # As above; item 1 has no text and item 2 no picture.
    #   image to image: 0 -> 10 hit, 10 -> 0 hit                                     2/2
    #   image to text: 0 -> 20 hit, 10 -> 20 hit                                     2/2
    #   text to image: 20 -> 10 hit; 91 has no picture of its class to find          1/1
    #   text to text: nothing to find
    image_logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [9.0, 0.0]])
    text_logits = torch.tensor([[3.0, 0.0], [9.0, 0.0], [0.0, 1.0]])
    pairs = items(unit(0, 10, 80), unit(20, 70, 91), image_logits, text_logits, [0, 0, 1])
    present = Present(torch.tensor([True, True, False]), torch.tensor([True, False, True]))
    metrics = validate(Given(2), replace(pairs, present=present))
    assert metrics["r_at_1"] == pytest.approx(1.0)
    assert metrics["accuracy_image"] == pytest.approx(1 / 2)
    assert metrics["accuracy_text"] == pytest.approx(2 / 2)
    assert metrics["accuracy_fused"] == pytest.approx(2 / 3), "item 1 is judged by its picture"
