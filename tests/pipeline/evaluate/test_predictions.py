from dataclasses import replace

import pytest
import torch

from pipeline.evaluate.predictions import KEPT, TOP, concatenate, predict_pairs, select
from pipeline.features.classes import make_classes
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel

FUSION = Fusion(0.3, image_temperature=1.5, text_temperature=0.7, fused_temperature=1.0)


def stored(make_model, **changed):
    model = make_model(**changed)
    names = [f"{'ab'[n % 2]}<{n}" for n in range(model.config.num_classes)]
    return StoredModel(model, FUSION, make_classes(names, separator="<", label="path"), {})


def test_the_prediction_is_the_most_probable_class(make_model, make_pairs):
    pairs = make_pairs(20)
    model = stored(make_model)
    found = predict_pairs(model, pairs)
    with torch.inference_mode():
        output = model.model(pairs.image_NI, pairs.text_NT)
        probability_NK = (output.text_logits_BK / 0.7).softmax(1)
    torch.testing.assert_close(found["text"].score_N, probability_NK.max(1).values)
    assert torch.equal(found["text"].predicted_N, probability_NK.argmax(1))


def test_with_few_classes_every_item_is_in_the_top(make_model, make_pairs):
    assert TOP >= 3
    assert predict_pairs(stored(make_model), make_pairs(20))["image"].in_top_N.all()


def test_with_many_classes_the_top_holds_the_five_best(make_model, make_pairs):
    pairs = make_pairs(40)
    model = stored(make_model, num_classes=10)
    with torch.inference_mode():
        logits_NK = model.model(pairs.image_NI, pairs.text_NT).image_logits_BK
    best_N5 = logits_NK.topk(5, dim=1).indices
    expected_N = (best_N5 == pairs.label_N[:, None]).any(1)
    assert torch.equal(predict_pairs(model, pairs)["image"].in_top_N, expected_N)
    assert expected_N.any()
    assert not expected_N.all()


def probabilities(model, pairs):
    with torch.inference_mode():
        return (model.model(pairs.image_NI, pairs.text_NT).image_logits_BK / 1.5).softmax(1)


def test_the_most_probable_classes_are_kept_in_order(make_model, make_pairs):
    pairs = make_pairs(40)
    model = stored(make_model, num_classes=30)
    best_NR = predict_pairs(model, pairs)["image"].best_NR
    assert torch.equal(best_NR.long(), probabilities(model, pairs).topk(KEPT, dim=1).indices)
    few = stored(make_model, num_classes=4)
    assert predict_pairs(few, pairs)["image"].best_NR.shape == (40, 4)


def test_levels_are_asked_one_by_one(make_model, make_pairs):
    pairs = make_pairs(40)
    model = stored(make_model, num_classes=10)
    found = predict_pairs(model, pairs)["image"]
    # Sorted by name, the first five classes are below a.
    below_a_N = probabilities(model, pairs)[:, :5].sum(1) > 0.5
    assert torch.equal(found.one_path_N, below_a_N == (found.predicted_N < 5))
    right_N = (found.predicted_N == pairs.label_N) & (below_a_N == (pairs.label_N < 5))
    assert torch.equal(found.full_path_N, right_N)
    assert found.one_path_N.any()
    assert not found.one_path_N.all()


def test_no_items_give_empty_results(make_model, make_pairs):
    pairs = make_pairs(3).only("none")
    found = predict_pairs(stored(make_model), pairs)
    assert found["fused"].embedding_ND.shape == (0, 8)


def test_parts_join_to_the_whole(make_model, make_pairs):
    whole = predict_pairs(stored(make_model), make_pairs(10))["text"]
    parts = [select(whole, torch.arange(0, 4)), select(whole, torch.arange(4, 10))]
    assert whole.shared_N is None
    for joined, expected in zip(concatenate(parts)[:4], whole[:4], strict=True):
        assert torch.equal(joined, expected)


def test_labels_give_their_share_and_the_path_they_make_up(make_model, make_pairs):
    classes = make_classes(["a<b<c<d", "a<b", "e"], separator="<", label="parts")
    pairs = make_pairs(20)
    fusion = replace(FUSION, multi_label=True)
    model = StoredModel(make_model(num_classes=5), fusion, classes, {})
    found = predict_pairs(model, pairs)["image"]
    with torch.inference_mode():
        logits_NL = model.model(pairs.image_NI, pairs.text_NT).image_logits_BK / 1.5
    # Paths in alphabetical order: a<b, a<b<c<d, e; labels a to e.
    labels_of_path = [{0, 1}, {0, 1, 2, 3}, {4}]
    for n, label in enumerate(pairs.label_N.tolist()):
        own = labels_of_path[label]
        top = set(logits_NL[n].topk(3).indices.tolist())
        assert found.shared_N[n] == pytest.approx(len(top & own) / min(3, len(own)))
        # A path is the more probable the greater the sum of its labels' log odds.
        sums = [logits_NL[n, list(labels)].sum().item() for labels in labels_of_path]
        assert found.predicted_N[n] == sums.index(max(sums))
    assert 0 < found.score_N.min() <= found.score_N.max() <= 1
