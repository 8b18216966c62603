import math

import pytest
import torch

from pipeline.train.objectives.class_part import class_part


def cross_entropy_by_loops(logits_BK, labels):
    rows = zip(logits_BK.tolist(), labels.tolist(), strict=True)
    terms = [math.log(sum(map(math.exp, logits))) - logits[label] for logits, label in rows]
    return sum(terms) / len(terms)


def test_late_fusion_averages_over_both_modalities(make_model, make_pairs):
    pairs = make_pairs(5)
    output = make_model()(pairs.image_NI, pairs.text_NT)
    of_image = cross_entropy_by_loops(output.image_logits_BK, pairs.label_N)
    of_text = cross_entropy_by_loops(output.text_logits_BK, pairs.label_N)
    loss = class_part(output, pairs.label_N)
    assert loss.item() == pytest.approx((of_image + of_text) / 2, rel=1e-5)


def test_concatenation_judges_the_one_prediction(make_model, make_pairs):
    pairs = make_pairs(5)
    output = make_model(fusion="concat")(pairs.image_NI, pairs.text_NT)
    expected = cross_entropy_by_loops(output.fused_logits_BK, pairs.label_N)
    assert class_part(output, pairs.label_N).item() == pytest.approx(expected, rel=1e-5)


def test_several_labels_are_judged_one_by_one(make_model, make_pairs):
    pairs = make_pairs(5)
    output = make_model(num_classes=4)(pairs.image_NI, pairs.text_NT)
    membership_KL = torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 0], [0, 1, 1, 1]])
    terms = [
        -math.log(1 / (1 + math.exp(-z))) if has else -math.log(1 - 1 / (1 + math.exp(-z)))
        for logits in (output.image_logits_BK, output.text_logits_BK)
        for row, label in zip(logits.tolist(), pairs.label_N, strict=True)
        for z, has in zip(row, membership_KL[label], strict=True)
    ]
    loss = class_part(output, pairs.label_N, membership_KL)
    assert loss.item() == pytest.approx(sum(terms) / (2 * 5), rel=1e-5)
